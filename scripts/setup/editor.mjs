// VS Code for the tests: code-server, which is its server and extension host on a plain Node, shown in a
// browser. In the cache, in a folder of its own: 600 MB of it, and it compiles its native parts.
import fs from "node:fs";
import path from "node:path";
import { canInstallPackages, installCommand, installPackages } from "./apt.mjs";
import { inCache, installOnce, logFile, moveIntoPlace } from "./cache.mjs";
import { nodeFromNpm } from "./node24.mjs";
import { npm } from "./npm.mjs";
import { ask, findProgram } from "./process.mjs";

const version = "4.139.1";

// Headers that its native parts are compiled against.
const packages = ["libkrb5-dev", "libsecret-1-dev", "pkg-config"];

const entry = () => inCache("editor", "node_modules", "code-server", "out", "node", "entry.js");

/**
 * @param {{ node: { binary: string, version: string }, progress: (text: string) => void }} options
 * @returns {Promise<{ entry: string, node: string, version: string }>} entry: the program for that Node
 */
export async function editor({ node: found, progress }) {
  if (process.platform === "win32") {
    throw new Error("The VS Code of the tests (code-server) is not published for Windows.");
  }
  // It takes Node 24 and no other, and its native parts fit only the Node they were compiled for.
  const node = found.version.startsWith("24.") ? found : await nodeFromNpm({ progress });
  await installOnce({
    part: "editor",
    version: `${version} node ${node.version}`,
    present: () => fs.existsSync(entry()),
    progress,
    install: async (work) => {
      await bringHeaders(progress);
      progress("installing code-server (600 MB, about 2 min)");
      const own = { private: true, allowScripts: { "code-server": true, argon2: true } };
      fs.writeFileSync(path.join(work, "package.json"), `${JSON.stringify(own)}\n`);
      await npm(["install", "--save-exact", `code-server@${version}`], {
        cwd: work,
        log: logFile("editor"),
        limitSeconds: 900,
        what: "Installing code-server",
        node: node.binary,
        env: compilingFor(node.binary),
      });
      // Without a configuration file it writes one into the home folder.
      fs.writeFileSync(path.join(work, "config.yaml"), "auth: none\n");
      moveIntoPlace(work, inCache("editor"));
      const asking = [entry(), "--config", inCache("editor", "config.yaml"), "--version"];
      const said = await ask(node.binary, asking, { limitSeconds: 60 });
      if (!said?.startsWith(version)) {
        throw new Error(`code-server ${version} is installed but does not start (${entry()} --version).`);
      }
      return { entry: entry() };
    },
  });
  return { entry: entry(), node: node.binary, version };
}

/** @param {(text: string) => void} progress */
async function bringHeaders(progress) {
  if (process.platform !== "linux" || (await haveHeaders())) return;
  if (!canInstallPackages()) {
    throw new Error(`code-server cannot be compiled here. What brings it: ${installCommand(...packages)}`);
  }
  progress("installing what code-server is compiled with");
  await installPackages(packages, "Installing the headers for code-server");
}

async function haveHeaders() {
  const program = findProgram("pkg-config");
  return (
    program !== undefined && (await ask(program, ["--exists", "krb5-gssapi", "libsecret-1"])) !== undefined
  );
}

/** @param {string} node @returns {NodeJS.ProcessEnv} */
function compilingFor(node) {
  const env = { PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ""}` };
  const home = path.dirname(path.dirname(node));
  // Its own headers where it has them: otherwise node-gyp fetches some from the network.
  const headers = fs.existsSync(path.join(home, "include", "node", "node.h"));
  return headers ? { ...env, npm_config_nodedir: home } : env;
}
