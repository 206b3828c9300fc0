// A real Ollama: the user's own if there is one, else built from Go modules, which takes minutes once. The
// last version that builds without a checkout of llama.cpp beside it.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { canInstallPackages, installCommand, installPackages } from "./apt.mjs";
import { inCache, installOnce, logFile, moveIntoPlace, readStamp } from "./cache.mjs";
import { ask, findProgram, runLogged } from "./process.mjs";

const version = "0.24.0";

// What a Go module does not carry of Ollama's C++: two headers from Debian, one from another module.
const headers = ["/usr/include/nlohmann/json.hpp", "/usr/include/stb/stb_image.h"];
const packages = ["nlohmann-json3-dev", "libstb-dev"];
const audio = "github.com/gen2brain/malgo@v0.11.23";

const built = () => inCache("ollama", "ollama");

/** Built for the very processor at hand: on another one it would die of an unknown instruction. */
const recipe = () => `${version} ${processor()}`;

/**
 * @param {string} [description] as in /proc/cpuinfo
 * @returns {string} tells processors apart that cannot run the same instructions
 */
export function processor(description = read("/proc/cpuinfo")) {
  const [, features = ""] = /^(?:flags|Features)\s*:(.*)$/m.exec(description) ?? [];
  return `${process.arch} ${createHash("sha256").update(features).digest("hex").slice(0, 12)}`;
}

/** @returns {string | undefined} the program, if nothing has to be brought */
export function installedOllama() {
  const usual = [
    "/opt/homebrew/bin/ollama",
    "/Applications/Ollama.app/Contents/Resources/ollama",
    path.join(process.env.LOCALAPPDATA ?? "", "Programs", "Ollama", "ollama.exe"),
  ];
  const own = findProgram("ollama") ?? usual.find((file) => fs.existsSync(file));
  if (own) return own;
  return readStamp("ollama")?.version === recipe() && fs.existsSync(built()) ? built() : undefined;
}

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ binary: string, version: string }>}
 */
export async function ollama({ progress }) {
  const found = installedOllama();
  const known = found && (await versionOf(found));
  if (known) return { binary: found, version: known };
  await installOnce({
    part: "ollama",
    version: recipe(),
    present: () => fs.existsSync(built()),
    progress,
    install: async (work) => {
      await build(work, progress);
      const said = await versionOf(path.join(work, "ollama"));
      if (said !== version)
        throw new Error(`The Ollama just built does not start (it says ${said ?? "nothing"}).`);
      moveIntoPlace(work, inCache("ollama"));
      return { binary: built() };
    },
  });
  return { binary: built(), version };
}

/** @param {string} binary @returns {Promise<string | undefined>} undefined: it does not run here */
async function versionOf(binary) {
  // Asked where nothing listens: the answer is the program's own then, not a running server's.
  const env = { ...process.env, OLLAMA_HOST: "127.0.0.1:1" };
  return /version is (\S+)\s*$/.exec(
    (await ask(binary, ["--version"], { limitSeconds: 30, env })) ?? "",
  )?.[1];
}

/** @param {string} work @param {(text: string) => void} progress */
async function build(work, progress) {
  const go = findProgram("go");
  if (process.platform !== "linux" || !go || !findProgram("gcc") || !findProgram("g++")) {
    const or = process.platform === "linux" ? ", or Go with gcc and g++ to build it" : "";
    throw new Error(`There is no Ollama on this machine. What brings it: install Ollama${or}`);
  }
  if (!headers.every((file) => fs.existsSync(file))) {
    if (!canInstallPackages()) {
      throw new Error(
        "There is no Ollama on this machine, and building one needs two header files. " +
          `What brings it: install Ollama, or ${installCommand(...packages)}`,
      );
    }
    progress("installing what Ollama is compiled with");
    await installPackages(packages, "Installing the headers for Ollama");
  }
  const log = logFile("ollama");
  progress("fetching a header");
  const what = "Building Ollama";
  const download = ["mod", "download", "-json", audio];
  await runLogged(go, download, { cwd: work, log, limitSeconds: 300, what });
  const folder = JSON.parse((await ask(go, download, { limitSeconds: 60 })) ?? "{}").Dir;
  // At the same path every time, since Go's build cache counts the path among what a result depends on.
  const include = inCache("ollama-include");
  fs.mkdirSync(path.join(include, "miniaudio"), { recursive: true });
  fs.writeFileSync(
    path.join(include, "miniaudio", "miniaudio.h"),
    fs.readFileSync(path.join(folder, "miniaudio.h")),
  );
  progress("building (6 min on two cores, once)");
  const flags = "-O3 -march=native";
  const stamp = `-X=github.com/ollama/ollama/version.Version=${version}`;
  await runLogged(go, ["install", "-ldflags", stamp, `github.com/ollama/ollama@v${version}`], {
    cwd: work,
    log,
    limitSeconds: 2400,
    what,
    env: {
      ...process.env,
      GOBIN: work,
      CGO_ENABLED: "1",
      CGO_CPPFLAGS: `-I${include}`,
      CGO_CFLAGS: flags,
      CGO_CXXFLAGS: flags,
    },
  });
}

/** @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
