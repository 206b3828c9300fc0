/** The model that is trained: the original one, whatever was promoted over it. */
import { ExitError } from "../../core/errors.ts";
import { policyLine } from "../../core/policy-version.ts";
import type { Policy } from "../../core/ports.ts";
import type { ModelKeeper } from "../../core/tuning/ports.ts";
import type { BaseModel, TunedForm } from "../../core/tuning/tuned-model.ts";
import type { ModelRequest } from "../app.ts";
import { chooseModel, openServed } from "../model.ts";
import type { TuningParts } from "./parts.ts";
import { keeperOf, readModelName } from "./policy-in-force.ts";

export interface OpenBase {
  readonly base: BaseModel;
  readonly keeper: ModelKeeper;
  /** GGUF file of its weights. */
  readonly file: string;
  readonly policy: Policy;
}

/**
 * The model of the request, or of the newest run where it names none. Its policy has to be closed.
 * @throws ExitError `model-tuned`, those of `chooseModel`, of the keeper and of the runtime.
 */
export async function openBase(
  request: ModelRequest,
  { store, workspaceFolder }: Pick<TuningParts, "store" | "workspaceFolder">,
  signal: AbortSignal,
): Promise<OpenBase> {
  const { name } = readModelName(request.model);
  const asked = name === null ? { ...request, ...lastSampled(store) } : { ...request, model: name };
  const served = await chooseModel(asked, workspaceFolder, signal);
  const keeper = keeperOf(served);
  const { file, digest } = await keeper.weights(signal);
  const tuned = store.tuning.models().find((model) => model.served?.digest === digest);
  if (tuned !== undefined)
    throw new ExitError(
      "model-tuned",
      `This is tuned model ${tuned.id}. What is trained is always the original: name ${tuned.base.file ?? tuned.base.model}, whose newest version the training goes on from.`,
    );
  const policy = await openServed(served, signal);
  try {
    const info = await policy.describe(signal);
    const { model, templateDigest, license } = info;
    const place =
      served.runtime === "ollama"
        ? { runtime: served.runtime, endpoint: served.endpoint.address, file: null }
        : { runtime: served.runtime, endpoint: null, file: served.file };
    const base = { ...place, model, digest, templateDigest, license, line: policyLine({ ...info, digest }) };
    return { base, keeper, file, policy };
  } catch (error) {
    await policy.close();
    throw error;
  }
}

/**
 * Of the model that a run of this request samples from.
 * @throws ExitError `adapter-refused` where its runtime takes no tuned model of this form; those of `chooseModel`.
 */
export async function refuseForm(
  request: ModelRequest,
  form: TunedForm,
  { workspaceFolder }: Pick<TuningParts, "workspaceFolder">,
  signal: AbortSignal,
): Promise<void> {
  if (form === "merged") return;
  const { name } = readModelName(request.model);
  const served = await chooseModel({ ...request, model: name }, workspaceFolder, signal);
  await keeperOf(served).accept(form, signal);
}

/** The model the newest run sampled from, as a request names it. */
function lastSampled({ runs }: Pick<TuningParts["store"], "runs">): Partial<ModelRequest> {
  const policy = runs().at(-1)?.provenance?.policy;
  return policy === undefined ? {} : { runtime: policy.runtime, model: policy.file ?? policy.model };
}

/** The base as a request names it, with a version of it. */
export function requestFor(base: BaseModel, version: string): ModelRequest {
  const { runtime, endpoint } = base;
  return { runtime, endpoint, model: `${base.file ?? base.model}#${version}` };
}
