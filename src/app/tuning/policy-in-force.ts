/**
 * A model's name means the version of it that is in force in this workspace: what was promoted last, or the model
 * itself. `#v0` after the name is the model itself, `#v2` its second promotion, `#m3` the tuned model m3, promoted or
 * not.
 */
import { createEmbeddedKeeper } from "../../adapters/embedded/keeper.ts";
import { createOllamaKeeper } from "../../adapters/ollama/keeper.ts";
import { ExitError, isExitError } from "../../core/errors.ts";
import type { Policy } from "../../core/ports.ts";
import type { ModelKeeper, TuningRecords } from "../../core/tuning/ports.ts";
import { inForce, versionOf } from "../../core/tuning/promotions.ts";
import type { TunedModel } from "../../core/tuning/tuned-model.ts";
import type { ModelRequest } from "../app.ts";
import { chooseModel, openServed, type ServedModel } from "../model.ts";

export interface NamedModel {
  readonly name: string | null;
  /** `v2`, `m3`; null: the version in force. */
  readonly version: string | null;
}

export function readModelName(model: string | null): NamedModel {
  const [, name = model, version = null] = model === null ? [] : (/^(.+)#([vm]\d+)$/.exec(model) ?? []);
  return { name, version };
}

/** @throws ExitError `version-unknown`, `tuned-gone`, and those of `chooseModel` and of the runtime. */
export async function openPolicyInForce(
  request: ModelRequest,
  workspace: string,
  tuning: TuningRecords,
  signal: AbortSignal,
): Promise<Policy> {
  const { name, version } = readModelName(request.model);
  const served = await chooseModel({ ...request, model: name }, workspace, signal);
  const asked = await versionAsked(served, version, tuning, signal);
  if (asked === null) return openServed(served, signal);
  return asTuned(await openTuned(served, asked.model, signal), asked);
}

export function keeperOf(served: ServedModel): ModelKeeper {
  return served.runtime === "ollama" ? createOllamaKeeper(served) : createEmbeddedKeeper(served.file);
}

interface Asked {
  readonly model: TunedModel;
  /** Null: not promoted. */
  readonly version: number | null;
}

async function versionAsked(
  served: ServedModel,
  version: string | null,
  tuning: TuningRecords,
  signal: AbortSignal,
): Promise<Asked | null> {
  const models = tuning.models().filter(({ base }) => base.runtime === served.runtime);
  if (version === "v0" || (version === null && models.length === 0)) return null;
  const own = await ofBase(served, models, signal);
  const promotions = tuning.promotions();
  const newest = promotions.findLast(({ line }) => own.some(({ base }) => base.line === line));
  const line = newest?.line ?? own.at(-1)?.base.line ?? "";
  const id = version === null ? inForce(promotions, line).model : idOf(version);
  if (id === null && version === null) return null;
  const model = own.find((candidate) => candidate.id === id);
  if (model === undefined)
    throw new ExitError(
      "version-unknown",
      `There is no version ${version ?? id} of this model in this workspace. "exit-ml models" lists what there is.`,
    );
  return { model, version: versionOf(promotions, model.base.line, model.id) };

  function idOf(wanted: string): string | null {
    if (wanted.startsWith("m")) return wanted;
    const promoted = promotions.flatMap((one) =>
      one.line === line && one.kind === "promoted" ? [one.model] : [],
    );
    return promoted[Number(wanted.slice(1)) - 1] ?? null;
  }
}

/** The tuned models that were trained from these very weights. */
async function ofBase(
  served: ServedModel,
  models: readonly TunedModel[],
  signal: AbortSignal,
): Promise<readonly TunedModel[]> {
  try {
    const { digest } = await keeperOf(served).weights(signal);
    return models.filter(({ base }) => base.digest === digest);
  } catch (error) {
    // Weights that cannot be had were never trained on. A server that did not answer says nothing of the kind.
    if (isExitError(error) && neverTrained.has(error.reason)) return [];
    throw error;
  }
}

const neverTrained: ReadonlySet<string> = new Set(["model-missing", "model-remote", "model-unsuitable"]);

async function openTuned(
  base: ServedModel,
  { id, served }: TunedModel,
  signal: AbortSignal,
): Promise<Policy> {
  if (served === null)
    throw new ExitError(
      "version-unknown",
      `Tuned model ${id} is not finished: "exit-ml fine-tune" goes on with it.`,
    );
  const tuned: ServedModel =
    base.runtime === "ollama"
      ? { ...base, model: served.model }
      : { ...base, file: served.model, adapter: served.adapter };
  try {
    return await openServed(tuned, signal);
  } catch (error) {
    if (!isExitError(error, "model-missing")) throw error;
    throw new ExitError(
      "tuned-gone",
      `Tuned model ${id} is no longer there (${served.model}). "exit-ml promote ${id}" makes it anew from its adapter; "exit-ml rollback" goes back to the version before it.`,
      { cause: error },
    );
  }
}

/** The policy under the name of its line. */
function asTuned(policy: Policy, { model, version }: Asked): Policy {
  const { base, id } = model;
  return {
    ...policy,
    async describe(signal) {
      const info = await policy.describe(signal);
      return {
        ...info,
        ...{ model: base.model, digest: base.digest, templateDigest: base.templateDigest },
        ...(base.file === null ? {} : { file: base.file }),
        tuned: { id, version },
      };
    },
  };
}
