/** Keeping the disk in bounds: base, the version in force and the one before it stay, and what is still to be gated. */
import { rm } from "node:fs/promises";
import { messageOf } from "../../core/errors.ts";
import { stackOf } from "../../core/tuning/promotions.ts";
import type { TunedModel } from "../../core/tuning/tuned-model.ts";
import { chooseModel } from "../model.ts";
import { requestFor } from "./base-model.ts";
import type { TuningParts } from "./parts.ts";
import { keeperOf, readModelName } from "./policy-in-force.ts";

/** Removes the weights of tuned models that nothing needs; their adapters, and with them the way back, stay. */
export async function tidyModels(
  { store, emit, workspaceFolder }: Pick<TuningParts, "store" | "emit" | "workspaceFolder">,
  signal: AbortSignal,
): Promise<readonly TunedModel[]> {
  const removed: TunedModel[] = [];
  for (const model of superfluous(store.tuning)) {
    try {
      const request = requestFor(model.base, "v0");
      const { name } = readModelName(request.model);
      const keeper = keeperOf(await chooseModel({ ...request, model: name }, workspaceFolder, signal));
      if (model.served === null) continue;
      await keeper.remove(model.served.model, signal);
      // Under an adapter lies the base itself.
      if (model.base.runtime === "embedded")
        await rm(model.served.adapter ?? model.served.model, { force: true });
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

function superfluous({ models, gates, promotions }: TuningParts["store"]["tuning"]): readonly TunedModel[] {
  const all = models();
  const needed = new Set<string | null>();
  for (const line of new Set(all.map(({ base }) => base.line)))
    for (const { model } of stackOf(promotions(), line).slice(-2)) needed.add(model);
  const decided = new Set(gates().map(({ model }) => model));
  return all.filter(
    ({ id, kept, made, failed }) =>
      kept && !needed.has(id) && (failed !== null || (made === "verified" && decided.has(id))),
  );
}
