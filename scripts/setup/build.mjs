// The bundles dist/cli.js and dist/runner.js, made again only when a source is newer.
import fs from "node:fs";
import path from "node:path";
import { logFile } from "./cache.mjs";
import { runLogged } from "./process.mjs";
import { repository } from "./repository.mjs";

const bundles = ["dist/cli.js", "dist/runner.js"];
const sources = ["src", "esbuild.js", "package.json", "package-lock.json"];

/**
 * @param {{ progress: (text: string) => void, root?: string }} options
 * @returns {Promise<{ built: boolean }>}
 */
export async function build({ progress, root = repository }) {
  if (!olderThanSources(root)) return { built: false };
  progress("building");
  const options = { cwd: root, log: logFile("build"), limitSeconds: 120, what: "Building dist/" };
  await runLogged(process.execPath, ["esbuild.js"], options);
  const missing = bundles.filter((file) => !fs.existsSync(path.join(root, file)));
  if (missing.length > 0) throw new Error(`Building dist/ ended well but left no ${missing.join(", ")}.`);
  return { built: true };
}

/** @param {string} root @returns {boolean} is a bundle missing, or older than what it is made of? */
export function olderThanSources(root) {
  const newest = Math.max(...sources.map((name) => newestIn(path.join(root, name))));
  return bundles.some((file) => {
    const made = fs.statSync(path.join(root, file), { throwIfNoEntry: false });
    return !made || made.mtimeMs < newest;
  });
}

/** @param {string} file @returns {number} the latest change; a folder's own time tells of deleted files */
function newestIn(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(file).map((name) => newestIn(path.join(file, name))));
}
