/** Which tuned model a command is about: the row it was called on, or the one asked for. */
import { window } from "vscode";
import { stateOf } from "../../client/words/tuning-text.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { TrainingStatus, TunedModel } from "../../protocol/results.ts";
import type { Entry } from "../training/entry.ts";
import { given } from "./given.ts";

/** @param none the sentence where no model fits @throws ExitError `nothing-tuned`, `cancelled`. */
export async function chooseTuned(
  entry: Entry | undefined,
  training: TrainingStatus,
  title: string,
  fits: (model: TunedModel) => boolean,
  none: string,
): Promise<TunedModel> {
  const named = entry?.kind === "model" ? training.models.find(({ id }) => id === entry.id) : undefined;
  if (named !== undefined) return named;
  const models = training.models.filter(fits).reverse();
  const [only, ...others] = models;
  if (only === undefined) throw new ExitError("nothing-tuned", none);
  if (others.length === 0) return only;
  const items = models.map((model) => ({
    label: model.id,
    description: `${stateOf(model, training)} · ${model.base.model}`,
    model,
  }));
  const picked = await window.showQuickPick(items, { title, placeHolder: "A tuned model, the newest first" });
  return given(picked, "A tuned model").model;
}

/** It is finished, and not what its base's name means now. */
export function canBePromoted({ id, made, failed, base }: TunedModel, { inForce }: TrainingStatus): boolean {
  const isInForce = inForce.some(({ line, model }) => line === base.line && model === id);
  return made === "verified" && failed === null && !isInForce;
}
