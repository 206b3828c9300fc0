/** Putting a tuned model in force, and taking that back (EXIT.md section 7). */
import { ExitError, isExitError } from "../../core/errors.ts";
import type { PolicyInForce } from "../../core/reports.ts";
import { inForce, stackOf } from "../../core/tuning/promotions.ts";
import type { TunedModel } from "../../core/tuning/tuned-model.ts";
import type { PromoteRequest, RollbackRequest } from "../app.ts";
import { openBase, requestFor } from "./base-model.ts";
import { findTuned } from "./find-tuned.ts";
import { make } from "./fine-tune.ts";
import type { TuningParts } from "./parts.ts";
import { tidyModels } from "./tidy.ts";

/**
 * From now on the base's name means this model, in runs and evaluations of this workspace.
 * @throws ExitError `model-unknown`, `model-unverified`, `not-gated`, `model-in-force`.
 */
export async function promote(
  { model: id, ungated }: PromoteRequest,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<PolicyInForce> {
  const { tuning } = parts.store;
  const model = findTuned(id, tuning.models());
  const { line } = model.base;
  refuseUseless(model);
  // A later gate, against another version, overrules an earlier one.
  const newest = tuning.gates().findLast((one) => one.model === model.id);
  const gate = newest?.decision === "promote" ? newest : null;
  if (gate === null && !ungated)
    throw new ExitError(
      "not-gated",
      `Tuned model ${model.id} has passed no gate, so it may be worse than what is in force. "exit-ml gate ${model.id}" tests it; --ungated promotes it all the same.`,
    );
  const isInForce = inForce(tuning.promotions(), line).model === model.id;
  if (isInForce && (await isThere(model, parts, signal)))
    throw new ExitError("model-in-force", `Tuned model ${model.id} is in force already.`);
  await remake(model, parts, signal);
  if (!isInForce)
    tuning.addPromotion({
      line,
      at: parts.clock.now(),
      kind: "promoted",
      model: model.id,
      gate: gate?.id ?? null,
    });
  return settled(model, parts, signal);
}

/**
 * Back to the version before the one in force.
 * @throws ExitError `model-unknown`, `nothing-to-roll-back`.
 */
export async function rollback(
  { model: id }: RollbackRequest,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<PolicyInForce> {
  const { tuning } = parts.store;
  const promotions = tuning.promotions();
  const line =
    id === null
      ? promotions.findLast((one) => stackOf(promotions, one.line).length > 1)?.line
      : findTuned(id, tuning.models()).base.line;
  if (line === undefined)
    throw new ExitError(
      "nothing-to-roll-back",
      "No tuned model is in force in this workspace: the model itself is.",
    );
  const { model: now } = inForce(promotions, line);
  if (id !== null && now !== id)
    throw new ExitError(
      "nothing-to-roll-back",
      `Tuned model ${id} is not in force: ${now ?? "the model itself"} is.`,
    );
  const [before, current] = stackOf(promotions, line).slice(-2);
  const left = findTuned(current?.model ?? null, tuning.models());
  if (before?.model != null) await remake(findTuned(before.model, tuning.models()), parts, signal);
  tuning.addPromotion({ line, at: parts.clock.now(), kind: "rolledBack" });
  return settled(left, parts, signal);
}

/** @throws ExitError `model-unverified`. */
export function refuseUseless({ id, failed, training }: TunedModel): void {
  if (failed === null && training !== null) return;
  throw new ExitError(
    "model-unverified",
    failed === null
      ? `Tuned model ${id} is not trained yet: "exit-ml fine-tune" goes on with it.`
      : `Tuned model ${id} is of no use: ${failed}`,
  );
}

/** Makes the weights of a trained model from its adapter, where they are not there: cleaned away, or cut off. */
export async function remake(model: TunedModel, parts: TuningParts, signal: AbortSignal): Promise<void> {
  if (await isThere(model, parts, signal)) return;
  const opened = await openBase(requestFor(model.base, "v0"), parts, signal);
  try {
    // Tidying finds what a cut leaves.
    parts.store.tuning.putModel({ ...model, kept: true });
    await make({ ...model, made: "trained", kept: true }, opened, parts, signal);
  } finally {
    await opened.policy.close();
  }
}

async function isThere(
  { id, base, kept, made }: TunedModel,
  { openPolicy }: Pick<TuningParts, "openPolicy">,
  signal: AbortSignal,
): Promise<boolean> {
  if (!kept || made !== "verified") return false;
  try {
    const policy = await openPolicy(requestFor(base, id), signal);
    await policy.close();
    return true;
  } catch (error) {
    if (isExitError(error, "tuned-gone")) return false;
    throw error;
  }
}

async function settled(
  { base }: TunedModel,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<PolicyInForce> {
  await tidyModels(parts, signal);
  parts.emit({ type: "tuningChanged" });
  const { version, model } = inForce(parts.store.tuning.promotions(), base.line);
  return { line: base.line, base: base.model, version, model };
}
