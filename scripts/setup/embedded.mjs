// The embedded model runtime: node-llama-cpp with the binaries of this platform only. A plain install
// brings every GPU build as well, eight times the size.
import fs from "node:fs";
import path from "node:path";
import { inCache, installOnce, logFile, moveIntoPlace } from "./cache.mjs";
import { npm } from "./npm.mjs";
import { runLogged } from "./process.mjs";

const version = "3.22.1";

const loadRuntime = `
import { getLlama } from "node-llama-cpp";
await getLlama({ gpu: false, build: "never", progressLogs: false });
process.exit(0);
`;

/** @returns {string | undefined} the name of the binaries' package; undefined where none is published */
export function runtimePackage(platform = process.platform, arch = process.arch) {
  const names = {
    "linux-x64": "linux-x64",
    "linux-arm64": "linux-arm64",
    "linux-arm": "linux-armv7l",
    "linux-riscv64": "linux-riscv64",
    "darwin-arm64": "mac-arm64-metal",
    "darwin-x64": "mac-x64",
    "win32-x64": "win-x64",
    "win32-arm64": "win-arm64",
  };
  const name = names[/** @type {keyof typeof names} */ (`${platform}-${arch}`)];
  return name && `@node-llama-cpp/${name}`;
}

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ folder: string, version: string }>}
 */
export async function embedded({ progress }) {
  const binaries = runtimePackage();
  if (!binaries)
    throw new Error(`No embedded model runtime is published for ${process.platform} ${process.arch}.`);
  const folder = inCache("embedded");
  const log = logFile("embedded");
  await installOnce({
    part: "embedded",
    version: `${version} ${binaries}`,
    present: () => fs.existsSync(path.join(folder, "node_modules", "node-llama-cpp", "package.json")),
    progress,
    install: async (work) => {
      progress("installing (about 10 s)");
      fs.writeFileSync(path.join(work, "package.json"), '{ "private": true, "type": "module" }\n');
      const wanted = [`node-llama-cpp@${version}`, `${binaries}@${version}`];
      const args = ["install", "--omit=optional", "--ignore-scripts", "--save-exact", ...wanted];
      await npm(args, { cwd: work, log, limitSeconds: 300, what: "Installing the embedded runtime" });
      // Proven by loading it: binaries may be there and still not fit this system's C library.
      const proof = path.join(work, "proof.mjs");
      fs.writeFileSync(proof, loadRuntime);
      await runLogged(process.execPath, [proof], {
        cwd: work,
        log,
        limitSeconds: 60,
        what: "Loading the embedded runtime",
      });
      moveIntoPlace(work, folder);
      return { folder };
    },
  });
  return { folder, version };
}
