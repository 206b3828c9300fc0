// npm, as the one that belongs to a Node installation: started through Node itself, because on Windows
// `npm` is a batch file, and because the Node in use may not be the first on PATH.
import fs from "node:fs";
import path from "node:path";
import { findProgram, runLogged } from "./process.mjs";

/**
 * @param {string[]} args
 * @param {{ cwd: string, log: string, limitSeconds: number, what: string, node?: string,
 *   env?: NodeJS.ProcessEnv }} options node: the Node that npm itself runs on, where an install's scripts ask
 *   for it; env: what those scripts need on top
 */
export async function npm(args, { node, env, ...options }) {
  const [command, ...first] = npmCommand(node);
  if (!command)
    throw new Error(`${options.what} needs npm, which is not installed. What brings it: Node.js 20 or newer`);
  const quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=warn"];
  await runLogged(command, [...first, ...args, ...quiet], {
    ...options,
    env: { ...npmEnvironment(), ...env },
  });
}

/** @returns {string[]} */
function npmCommand(node = process.execPath) {
  const beside = path.dirname(process.execPath);
  const scripts = [
    process.env.npm_execpath, // set when npm itself started us
    path.join(beside, "../lib/node_modules/npm/bin/npm-cli.js"),
    path.join(beside, "node_modules/npm/bin/npm-cli.js"),
  ];
  const script = scripts.find((file) => file && /npm-cli\.c?js$/.test(file) && fs.existsSync(file));
  if (script) return [node, script];
  const program = findProgram("npm");
  return program ? [program] : [];
}

/** Started by `npm run`, we carry that npm's settings: they must not leak into installs elsewhere. */
function npmEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(config_(local_prefix|prefix|global|omit|include|ignore_scripts)|package_|lifecycle_)/i.test(
        name,
      ),
  );
  return Object.fromEntries(kept);
}
