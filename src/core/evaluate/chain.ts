/** The rules of one chain of steps (EXIT.md section 4), as a fold over its stored steps. */
import { isFailed } from "../verdict.ts";
import type { EvaluationStep, Iterate, Protocol, StepOutcome, StepPlace } from "./cell.ts";

/** Where a chain stands. */
export type ChainState =
  /** A reply is there and has no outcome yet. */
  | { readonly kind: "score"; readonly step: EvaluationStep; readonly start: Iterate }
  | { readonly kind: "sample"; readonly place: StepPlace; readonly start: Iterate }
  | { readonly kind: "done"; readonly trajectory: Trajectory }
  /** A step had no quality twice. */
  | { readonly kind: "dropped" };

/** A finished chain. All lists have K + 1 entries, by k. */
export interface Trajectory {
  /** Of the step's own result: 0 without a snapshot. */
  readonly quality: readonly number[];
  readonly best: readonly Iterate[];
  readonly valid: readonly boolean[];
}

/**
 * @param steps of one chain, by k and attempt
 * @param K steps the chain is to have
 */
export function followChain(
  chain: number,
  root: Iterate,
  steps: readonly EvaluationStep[],
  protocol: Protocol,
  K: number,
): ChainState {
  let latest = root;
  const quality = [root.quality];
  const best = [root];
  const valid = [!isFailed(root.verdict)];
  for (let k = 1; k <= K; k++) {
    const start = protocol === "chain" ? latest : (best[k - 1] ?? root);
    const [first, second] = steps.filter((step) => step.k === k);
    if (first === undefined) return { kind: "sample", place: { chain, k, attempt: 0 }, start };
    if (first.outcome === null) return { kind: "score", step: first, start };
    if (first.outcome.quality === null && second === undefined)
      return { kind: "sample", place: { chain, k, attempt: 1 }, start };
    const step = second ?? first;
    if (step.outcome === null) return { kind: "score", step, start };
    const { outcome } = step;
    if (outcome.quality === null) return { kind: "dropped" };
    const made = iterateOf(outcome);
    // The next step starts from the last iterate that has a snapshot.
    latest = made ?? latest;
    const bestBefore = best[k - 1] ?? root;
    best.push(made !== null && isBetterStart(made, bestBefore) ? made : bestBefore);
    quality.push(made === null ? 0 : outcome.quality);
    valid.push(!isFailed(outcome.verdict));
  }
  return { kind: "done", trajectory: { quality, best, valid } };
}

function iterateOf({ snapshot, quality, ...rest }: StepOutcome): Iterate | null {
  if (snapshot === null || quality === null) return null;
  const { verdict, score, qualitySE, feedback } = rest;
  return { snapshot, verdict, score, quality, qualitySE, feedback };
}

/** The highest quality among what is scored, the earlier of equals; as long as nothing is, the newest. */
function isBetterStart(made: Iterate, best: Iterate): boolean {
  const works = !isFailed(made.verdict);
  if (isFailed(best.verdict)) return works || made.snapshot !== best.snapshot;
  return works && made.quality > best.quality;
}
