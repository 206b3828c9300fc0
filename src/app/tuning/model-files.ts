/**
 * The files of a tuned model, and how far it has come by those that are left: disks are cleaned, and a power cut takes
 * what was not flushed yet.
 */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModelKeeper } from "../../core/tuning/ports.ts";
import { hasMade, type Making, type TunedModel } from "../../core/tuning/tuned-model.ts";
import type { TuningParts } from "./parts.ts";

/** Where the files of a tuned model lie: all below a folder of its own. */
export interface TunedFiles {
  /** Training data. */
  readonly groups: string;
  /** Folder of the training. */
  readonly stage: string;
  /** Folder of the adapter. */
  readonly adapter: string;
  /** Weights that are to be served, until they are verified. */
  readonly file: string;
}

export function filesOf({ id, base }: TunedModel, modelsFolder: string): TunedFiles {
  const folder = join(modelsFolder, id);
  const stage = join(folder, "stage");
  return {
    groups: join(folder, "export", "groups.jsonl"),
    stage,
    adapter: join(stage, "adapter"),
    file: join(folder, `${base.model.replace(/[^\w.-]+/g, "-")}-${id}.gguf`),
  };
}

/** It as far as its files still go; null where nothing can be made of them any more. Either is stored. */
export async function whatIsLeft(
  model: TunedModel,
  keeper: Pick<ModelKeeper, "remove">,
  { store, modelsFolder, emit }: Pick<TuningParts, "store" | "modelsFolder" | "emit">,
  signal: AbortSignal,
): Promise<TunedModel | null> {
  const files = filesOf(model, modelsFolder);
  const made = await madeByFiles(model, files);
  if (made === "exported" && made !== model.made) {
    // Another training gives other weights: those that are installed are nobody's any more.
    await rm(files.stage, { recursive: true, force: true });
    if (model.served !== null) await keeper.remove(model.served.model, signal);
  }
  if (made !== model.made) {
    const next = made === null ? "another model is begun" : "it is made again from there on";
    emit({ type: "message", level: "warn", text: `Files of ${model.id} are gone: ${next}.` });
  }
  const left: TunedModel = { ...model, ...changeTo(made, model.made), interruption: null };
  store.tuning.putModel(left);
  emit({ type: "tuningChanged" });
  return made === null ? null : left;
}

function changeTo(made: Making | null, before: Making): Partial<TunedModel> {
  if (made === null) return { failed: "Its training data is gone." };
  if (made === before) return {};
  return made === "exported" ? { made, training: null, merge: null, served: null } : { made, merge: null };
}

/**
 * The last step whose result is still there; null: not even its training data. A finished model stays what it is: its
 * adapter is all that is left of it, and another training would give another one.
 */
async function madeByFiles(
  { made, fingerprint }: TunedModel,
  { groups, adapter, file }: TunedFiles,
): Promise<Making | null> {
  if (fingerprint !== null) return made;
  if (!(await hasContent(groups))) return null;
  if (hasMade(made, "trained") && !(await hasContent(join(adapter, "adapter_model.safetensors"))))
    return "exported";
  if (hasMade(made, "merged") && !(await hasContent(file))) return "trained";
  return made;
}

async function hasContent(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found !== null && found.size > 0;
}
