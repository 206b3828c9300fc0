/** Keeping the disk in bounds: base, the version in force and the one before it stay, and what is still to be gated. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { TuningRecords } from "../../core/tuning/ports.ts";
import { stackOf } from "../../core/tuning/promotions.ts";
import type { TunedModel } from "../../core/tuning/tuned-model.ts";
import { chooseModel } from "../model.ts";
import { requestFor } from "./base-model.ts";
import type { TuningParts } from "./parts.ts";
import { keeperOf, readModelName } from "./policy-in-force.ts";

/** Removes the weights of tuned models that nothing needs; their adapters, and with them the way back, stay. */
export async function tidyModels(
  {
    store,
    emit,
    workspaceFolder,
    modelsFolder,
  }: Pick<TuningParts, "store" | "emit" | "workspaceFolder" | "modelsFolder">,
  signal: AbortSignal,
): Promise<readonly TunedModel[]> {
  const removed: TunedModel[] = [];
  // A server has its own copy; a kill may have come before the removal of ours.
  for (const { id, base, made } of store.tuning.models())
    if (base.runtime === "ollama" && made === "verified") await removeFiles(join(modelsFolder, id));
  for (const model of superfluous(store.tuning)) {
    try {
      if (model.served !== null) {
        const request = requestFor(model.base, "v0");
        const { name } = readModelName(request.model);
        const keeper = keeperOf(await chooseModel({ ...request, model: name }, workspaceFolder, signal));
        await keeper.remove(model.served.model, signal);
      }
      // All of them are its own: under an adapter, the base lies elsewhere.
      await removeFiles(join(modelsFolder, model.id));
      store.tuning.putModel({ ...model, kept: false });
      removed.push(model);
    } catch (error) {
      // A server that is not there now: the next tidying finds it again.
      emit({
        type: "message",
        level: "warn",
        text: `Tuned model ${model.id} was not removed. ${messageOf(error)}`,
      });
    }
  }
  return removed;
}

/** A merged file of a tuned model, or one that a kill left half written. */
export const isWeights = (name: string): boolean => /\.gguf(\.draft)?$/.test(name);

/** The merged file, and what a training that was given up left to go on from. */
async function removeFiles(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter(isWeights);
  for (const name of [...files, join("stage", "checkpoint")])
    await rm(join(folder, name), { recursive: true, force: true });
}

export function superfluous({
  models,
  gates,
  promotions,
}: Pick<TuningRecords, "models" | "gates" | "promotions">): readonly TunedModel[] {
  const all = models();
  const needed = new Set<string | null>();
  for (const line of new Set(all.map(({ base }) => base.line)))
    for (const { model } of stackOf(promotions(), line).slice(-2)) needed.add(model);
  const decided = new Set(gates().map(({ model }) => model));
  // Of a line only the newest is gone on with.
  const newest = new Map(all.map(({ id, base }) => [base.line, id]));
  const isGivenUp = ({ id, made, base }: TunedModel): boolean =>
    made !== "verified" && newest.get(base.line) !== id;
  return all.filter(
    (model) =>
      model.kept &&
      !needed.has(model.id) &&
      (model.failed !== null || isGivenUp(model) || (model.made === "verified" && decided.has(model.id))),
  );
}
