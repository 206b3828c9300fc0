/** The files of a tuned model, and how far it has come by those that are left: disks are cleaned, and a power cut takes what was not flushed yet. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { hasMade, type Making, type TunedModel } from "../../core/tuning/tuned-model.ts";

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

/**
 * The last step whose result is still there; null: not even its training data. A finished model stays what it is: its adapter is all that is left of it,
 * and another training would give another one.
 */
export async function madeByFiles(
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
