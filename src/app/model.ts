/** Choosing the model a run samples from. */
import { isAbsolute, join } from "node:path";
import { createEmbeddedPolicy } from "../adapters/embedded/policy.ts";
import type { Endpoint } from "../adapters/ollama/endpoint.ts";
import { digestInName } from "../adapters/ollama/installed-name.ts";
import { createOllamaPolicy } from "../adapters/ollama/policy.ts";
import { renderChat } from "../adapters/template/render.ts";
import { ExitError } from "../core/errors.ts";
import type { Policy } from "../core/ports.ts";
import type { ModelChoice } from "../core/reports.ts";
import type { ModelRequest } from "./app.ts";
import { runtimeFolder } from "./embedded-runtime.ts";
import { allowedEndpoint, embeddedModels, listAllModels, modelsFolder } from "./models.ts";

/** A model in its runtime. */
export type ServedModel =
  | { readonly runtime: "ollama"; readonly endpoint: Endpoint; readonly model: string }
  /** @param file absolute path of a GGUF file; `adapter`: of an adapter over it */
  | { readonly runtime: "embedded"; readonly file: string; readonly adapter: string | null };

/**
 * Without a runtime, the path of a GGUF file and a name out of the models folder mean the embedded runtime, any
 * other name means Ollama; without a model, the only one there is.
 * @throws ExitError `runtime-unknown`, `model-missing`, `model-needed`, `endpoint-consent`.
 */
export async function chooseModel(
  request: ModelRequest,
  workspace: string,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ServedModel> {
  const { runtime, model } = await chosen(request, signal, env);
  if (runtime === "ollama") return { runtime, endpoint: await allowedEndpoint(request.endpoint, env), model };
  return { runtime, file: await modelFile(model, modelsFolder(env), workspace), adapter: null };
}

/** @throws ExitError those of the runtime. */
export async function openServed(
  served: ServedModel,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Policy> {
  if (served.runtime === "ollama") return createOllamaPolicy({ ...served, renderChat }, signal);
  return createEmbeddedPolicy({
    model: served.file,
    adapter: served.adapter,
    runtimeFolder: await runtimeFolder(env),
    renderChat,
  });
}

async function chosen(
  request: ModelRequest,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
): Promise<Pick<ModelChoice, "runtime"> & { readonly model: string }> {
  const { runtime, model } = request;
  if (runtime !== null && runtime !== "ollama" && runtime !== "embedded")
    throw new ExitError(
      "runtime-unknown",
      `There is no runtime "${runtime}"; there are "ollama" and "embedded".`,
    );
  if (model === null) return onlyModel(runtime, request.endpoint, signal, env);
  if (runtime !== null) return { runtime, model };
  const folder = modelsFolder(env);
  const isFile = isGguf(model) || (await embeddedModels(folder)).some(({ name }) => name === model);
  return { runtime: isFile ? "embedded" : "ollama", model };
}

/** The only model of Ollama, or else the only one there is. Its tuned copies are no choice: its name means them too. */
async function onlyModel(
  runtime: ModelChoice["runtime"] | null,
  endpoint: string | null,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
) {
  // Consent is asked for where Ollama was asked for; else an address of the environment is only not looked at.
  if (runtime === "ollama") await allowedEndpoint(endpoint, env);
  const { models, problems } = await listAllModels(endpoint, signal, env);
  const usable = models.filter(
    (model) => (runtime === null || model.runtime === runtime) && !isTunedFromAnother(model, models),
  );
  const served = usable.filter((model) => model.runtime === "ollama");
  const [only] = served.length === 1 ? served : usable.length === 1 ? usable : [];
  if (only !== undefined) return { runtime: only.runtime, model: only.name };
  if (usable.length > 0)
    throw new ExitError(
      "model-needed",
      `Name a model with --model. There are: ${usable.map(({ name, runtime: by }) => `${name} (${by})`).join(", ")}; exit-ml models says more about them.`,
    );
  const mends = {
    ollama: problems.length > 0 ? problems.join(" ") : "Ollama has none yet; ollama pull NAME fetches one.",
    embedded: `For the embedded runtime, put a .gguf file into ${modelsFolder(env)} or name one with --model.`,
  };
  const mend = runtime === null ? `${mends.ollama} ${mends.embedded}` : mends[runtime];
  throw new ExitError("model-missing", `There is no model. ${mend}`);
}

/** Installed beside its base (adapters/ollama/install-model.ts). */
function isTunedFromAnother({ runtime, name }: ModelChoice, models: readonly ModelChoice[]): boolean {
  const isOfServer = (model: ModelChoice): boolean => model.runtime === "ollama";
  return (
    runtime === "ollama" && models.filter(isOfServer).some((base) => digestInName(base.name, name) !== null)
  );
}

async function modelFile(model: string, folder: string, workspace: string): Promise<string> {
  if (isGguf(model)) return isAbsolute(model) ? model : join(workspace, model);
  const names = (await embeddedModels(folder)).map(({ name }) => name);
  if (names.includes(model)) return join(folder, `${model}.gguf`);
  const list = names.length > 0 ? `There are: ${names.join(", ")}.` : `${folder} is empty.`;
  throw new ExitError(
    "model-missing",
    `There is no model "${model}" for the embedded runtime. ${list} A path to a .gguf file works too.`,
  );
}

function isGguf(model: string): boolean {
  return model.toLowerCase().endsWith(".gguf");
}
