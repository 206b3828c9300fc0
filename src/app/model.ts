/** Choosing the model a run samples from. */
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { createEmbeddedPolicy } from "../adapters/embedded/policy.ts";
import { renderChat } from "../adapters/template/render.ts";
import { ExitError } from "../core/errors.ts";
import type { Policy } from "../core/ports.ts";

/** Where the parts that are not in the package live: runtime and models. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env.EXIT_ML_CACHE ?? join(homedir(), ".cache", "exit-ml");
}

/**
 * @param model a name out of the models folder, the path of a GGUF file, or null for the only model there
 * @throws ExitError `runtime-unknown`, `model-missing`, `model-needed` and those of the runtime.
 */
export async function openPolicy(
  runtime: string | null,
  model: string | null,
  workspace: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Policy> {
  if (runtime !== null && runtime !== "embedded")
    throw new ExitError("runtime-unknown", `There is no runtime "${runtime}"; this version has "embedded".`);
  const cache = cacheFolder(env);
  return createEmbeddedPolicy({
    model: await modelFile(model, join(cache, "models"), workspace),
    runtimeFolder: join(cache, "embedded"),
    renderChat,
  });
}

async function modelFile(model: string | null, folder: string, workspace: string): Promise<string> {
  if (model?.endsWith(".gguf")) return isAbsolute(model) ? model : join(workspace, model);
  const files = await readdir(folder).catch(() => []);
  const names = files.filter((file) => file.endsWith(".gguf")).map((file) => file.slice(0, -5));
  const list = names.length > 0 ? `There are: ${names.sort().join(", ")}.` : `${folder} is empty.`;
  if (model !== null) {
    if (names.includes(model)) return join(folder, `${model}.gguf`);
    throw new ExitError(
      "model-missing",
      `There is no model "${model}". ${list} A path to a .gguf file works too.`,
    );
  }
  const [only, ...others] = names;
  if (only === undefined)
    throw new ExitError(
      "model-missing",
      `There is no model. ${list} Put a .gguf file there or name one with --model.`,
    );
  if (others.length > 0) throw new ExitError("model-needed", `Name a model with --model. ${list}`);
  return join(folder, `${only}.gguf`);
}
