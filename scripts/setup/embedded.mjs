// The embedded model runtime: node-llama-cpp with the binaries of this platform only. A plain install
// brings every GPU build as well, eight times the size.
import fs from "node:fs";
import path from "node:path";
import { inCache, installOnce, logFile, moveIntoPlace } from "./cache.mjs";
import { npm } from "./npm.mjs";
import { runLogged } from "./process.mjs";
import { repository } from "./repository.mjs";

/** Shared with the product, which installs the same for people without a clone. */
const { version, binaries: names } = JSON.parse(
  fs.readFileSync(path.join(repository, "src", "adapters", "embedded", "runtime-package.json"), "utf8"),
);

const loadRuntime = `
import { getLlama } from "node-llama-cpp";
await getLlama({ gpu: false, build: "never", progressLogs: false });
process.exit(0);
`;

/** @returns {string | undefined} the name of the binaries' package; undefined where none is published */
export function runtimePackage(platform = process.platform, arch = process.arch) {
  const name = names[`${platform}-${arch}`];
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
