// The bundles in dist/ and the packed extension, each made again only when a source is newer.
import fs from "node:fs";
import path from "node:path";
import { logFile } from "./cache.mjs";
import { runLogged } from "./process.mjs";
import { repository } from "./repository.mjs";

const bundles = ["dist/cli.js", "dist/runner.js", "dist/extension.js"];
const vsix = "dist/exit-ml.vsix";
const sources = ["src", "media", "esbuild.js", "package.json", "package-lock.json"];
const packed = [...sources, ".vscodeignore", "README.md", "CHANGELOG.md", "LICENSE"];

/**
 * @param {{ progress: (text: string) => void, root?: string }} options
 * @returns {Promise<{ built: boolean }>}
 */
export async function build({ progress, root = repository }) {
  if (!olderThan(sources, bundles, root)) return { built: false };
  progress("building");
  await make(process.execPath, [path.join(root, "esbuild.js")], bundles, { root, what: "Building dist/" });
  return { built: true };
}

/**
 * Packing builds the bundles too, as they are shipped.
 * @param {{ node: string, progress: (text: string) => void, root?: string }} options node: the packer needs a newer
 *   one than the set-up may run in
 * @returns {Promise<{ file: string }>}
 */
export async function extension({ node, progress, root = repository }) {
  if (olderThan(packed, [...bundles, vsix], root)) {
    progress("packing");
    const packer = path.join(root, "node_modules/@vscode/vsce/vsce");
    const args = [packer, "package", "--no-dependencies", "--out", vsix];
    await make(node, args, [vsix], { root, what: "Packing the extension" });
  }
  return { file: path.join(root, vsix) };
}

/**
 * @param {string} node
 * @param {string[]} args
 * @param {string[]} files what must be there afterwards
 * @param {{ root: string, what: string }} options
 */
async function make(node, args, files, { root, what }) {
  await runLogged(node, args, { cwd: root, log: logFile("build"), limitSeconds: 180, what });
  const missing = files.filter((file) => !fs.existsSync(path.join(root, file)));
  if (missing.length > 0) throw new Error(`${what} ended well but left no ${missing.join(", ")}.`);
}

/**
 * @param {string[]} sources
 * @param {string[]} made
 * @param {string} root
 * @returns {boolean} is one of the made files missing, or older than what it is made of?
 */
export function olderThan(sources, made, root) {
  const newest = Math.max(...sources.map((name) => newestIn(path.join(root, name))));
  return made.some((file) => {
    const stat = fs.statSync(path.join(root, file), { throwIfNoEntry: false });
    return !stat || stat.mtimeMs < newest;
  });
}

/** @param {string} file @returns {number} the latest change; a folder's own time tells of deleted files */
function newestIn(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(file).map((name) => newestIn(path.join(file, name))));
}
