// A Python environment for the trainer and its tests: what trainer/requirements-test.txt names.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { canInstallPackages, installCommand, installPackages } from "./apt.mjs";
import { inCache, installOnce, logFile, removeFolder } from "./cache.mjs";
import { ask, findProgram, runLogged } from "./process.mjs";
import { repository } from "./repository.mjs";

/** The oldest Python that the package says it runs on. */
const isNewEnough = "import sys; sys.exit(sys.version_info < (3, 11))";

/** Imports what is compiled: it may be there and still not fit this system's C library or processor. */
const proof = "import torch, transformers, peft, gguf; print(torch.__version__)";

/**
 * @param {{
 *   progress: (text: string) => void,
 *   requirements?: { file: string, proof: string },
 * }} options requirements: others than the trainer's, for a test of the set-up
 * @returns {Promise<{ python: string, version: string }>} python: the environment's program; version: what the proof
 *   printed
 */
export async function trainer({
  progress,
  requirements = { file: path.join(repository, "trainer", "requirements-test.txt"), proof },
}) {
  const folder = inCache("trainer");
  const python = programOf(folder);
  const log = logFile("trainer");
  const { stamp } = await installOnce({
    part: "trainer",
    version: digestOf(requirements.file),
    present: () => fs.existsSync(python) && marked(folder).includes(digestOf(requirements.file)),
    progress,
    install: async () => {
      // In its own place from the start: programs of an environment name the folder they were made in.
      removeFolder(folder);
      const host = await pythonWithVenv(progress);
      await runLogged(host, ["-m", "venv", folder], {
        log,
        limitSeconds: 120,
        what: "Making the trainer's environment",
      });
      progress("installing PyTorch and the trainer's other packages (6 GB, about 5 min)");
      const pip = [
        "-m",
        "pip",
        "install",
        "--progress-bar=off",
        "--disable-pip-version-check",
        "--no-cache-dir",
      ];
      await runLogged(python, [...pip, "-r", requirements.file], {
        log,
        limitSeconds: 1500,
        what: "Installing the trainer's packages",
      });
      const version = await ask(python, ["-c", requirements.proof], { limitSeconds: 120 });
      if (version === undefined)
        throw new Error(
          `The trainer's packages are installed but cannot be imported. Try: ${python} -c "${requirements.proof}"`,
        );
      fs.writeFileSync(markerOf(folder), `${digestsOf(requirements.file).join("\n")}\n`);
      return { packages: version };
    },
  });
  return { python, version: stamp.packages };
}

/** @param {string} folder of an environment */
export function programOf(folder, platform = process.platform) {
  return platform === "win32"
    ? path.join(folder, "Scripts", "python.exe")
    : path.join(folder, "bin", "python");
}

/**
 * What an environment holds: a file in it with a digest a line, of each list of requirements that was installed. ExIt ML
 * looks for it too, and makes an environment in the same place (src/adapters/trainer/marker.ts).
 * @param {string} folder of an environment
 */
const markerOf = (folder) => path.join(folder, "exit-ml-requirements");

/** @param {string} folder @returns {string[]} */
function marked(folder) {
  try {
    return fs.readFileSync(markerOf(folder), "utf8").split("\n");
  } catch {
    return [];
  }
}

/** @param {string} file of requirements; those it names with -r count as well @returns {string} */
const digestOf = (file) => digestsOf(file)[0] ?? "";

/** @param {string} file of requirements @returns {string[]} its digest and those of the files it names with -r */
function digestsOf(file) {
  const text = fs.readFileSync(file, "utf8");
  const others = [...text.matchAll(/^-r (.+)$/gm)].map(([, name = ""]) =>
    digestsOf(path.join(path.dirname(file), name.trim())),
  );
  const own = [text, ...others.map(([digest]) => digest)].join("\n");
  return [createHash("sha256").update(own).digest("hex"), ...others.flat()];
}

/** @param {(text: string) => void} progress @returns {Promise<string>} */
async function pythonWithVenv(progress) {
  const names = ["python3", "python3.13", "python3.12", "python3.11", "python"];
  for (const name of names) {
    const program = findProgram(name);
    if (!program || (await ask(program, ["-c", isNewEnough], { limitSeconds: 30 })) === undefined) continue;
    // Debian's Python has venv but not the pip that a new environment begins with.
    if ((await ask(program, ["-c", "import venv, ensurepip"], { limitSeconds: 30 })) !== undefined)
      return program;
  }
  if (!canInstallPackages()) {
    const remedy = findProgram("apt-get") ? installCommand("python3-venv") : "install Python 3.11 or newer";
    throw new Error(`The trainer needs Python 3.11 or newer with venv. What brings it: ${remedy}`);
  }
  progress("installing python3-venv");
  await installPackages(["python3-venv"], "Installing python3-venv", { recommended: false });
  return "/usr/bin/python3";
}
