// A Node with node:sqlite (22.13 or newer): the running one if it is, else Node 24 from npm in the cache.
import fs from "node:fs";
import path from "node:path";
import { inCache, installOnce, logFile, moveIntoPlace } from "./cache.mjs";
import { npm } from "./npm.mjs";
import { ask } from "./process.mjs";

const version = "24.21.0";

/** @param {string} running a version such as "20.19.1" @returns {boolean} does it carry node:sqlite? */
export function hasSqlite(running) {
  const [major = 0, minor = 0] = running.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

/**
 * npm's package with the binary of one platform. The plain package `node` only fetches this one, from an
 * install script; asked for by name it comes without running any.
 */
export function nodePackage(platform = process.platform, arch = process.arch) {
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${platform === "win32" ? "win" : platform}-${arch}`;
}

const binary = () =>
  inCache("node24", "node_modules", nodePackage(), "bin", process.platform === "win32" ? "node.exe" : "node");

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ binary: string, version: string }>}
 */
export async function node24({ progress }) {
  if (hasSqlite(process.versions.node)) return { binary: process.execPath, version: process.versions.node };
  const given = process.env.EXIT_ML_NODE;
  if (given) {
    const said = (await ask(given, ["--version"]))?.replace(/^v/, "");
    if (said && hasSqlite(said)) return { binary: given, version: said };
  }
  return nodeFromNpm({ progress });
}

/**
 * Node 24 itself, for what takes no other.
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ binary: string, version: string }>}
 */
export async function nodeFromNpm({ progress }) {
  await installOnce({
    part: "node24",
    version: `${version} ${nodePackage()}`,
    present: () => fs.existsSync(binary()),
    progress,
    install: async (work) => {
      progress("installing (about 10 s)");
      fs.writeFileSync(path.join(work, "package.json"), '{ "private": true }\n');
      const args = ["install", "--ignore-scripts", "--save-exact", `${nodePackage()}@${version}`];
      await npm(args, { cwd: work, log: logFile("node24"), limitSeconds: 300, what: "Installing Node 24" });
      moveIntoPlace(work, inCache("node24"));
      const said = await ask(binary(), ["--version"]);
      if (said !== `v${version}`) {
        throw new Error(
          `The Node 24 from npm does not run on this machine (${process.platform} ${process.arch}). ` +
            "What brings it: install Node.js 24, or set EXIT_ML_NODE to its path",
        );
      }
      return { binary: binary() };
    },
  });
  return { binary: binary(), version };
}
