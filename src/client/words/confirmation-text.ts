/** What a confirmation came to, in words. */
import type { Confirmation } from "../../protocol/results.ts";
import { score } from "./format.ts";
import type { MetricNames } from "./metric.ts";

/**
 * `n16 gains accuracy 0.04 over the root (0.01 to 0.07, on 8 fresh seeds); holdout 0.91, root 0.86`, or that there is
 * no gain beyond noise. A gain is told in the metric's unit and is positive where the revision is better.
 */
export function confirmationText(confirmation: Confirmation, metrics: MetricNames): string {
  const { task, winner, comparisons, root, range, holdout } = confirmation;
  const inMetric = (quality: number): number => quality * Math.abs(range.best - range.worst);
  const seeds = `on ${root.trials.length} fresh seeds`;
  const shown = comparisons.find(({ node }) => node === winner) ?? closest(comparisons);
  if (shown === undefined || shown.gain === null || shown.interval === null)
    return `no gain is confirmed: too few scores could be had ${seeds}`;
  const [low, high] = shown.interval.map((bound) => score(inMetric(bound)));
  const basis = shown.deterministic
    ? `deterministic: always the same ${seeds}`
    : `${low} to ${high}, ${seeds}`;
  const gain = metrics.scored(task, inMetric(shown.gain));
  if (winner === null) {
    const none = shown.deterministic ? "no gain" : "no gain beyond noise";
    return `${none}: ${shown.node} differs from the root by ${gain} (${basis})`;
  }
  const text = `${winner} gains ${gain} over the root (${basis})`;
  if (holdout === null) return text;
  const held = (side: typeof holdout.root): string =>
    side.score === null ? side.verdict : score(side.score);
  return `${text}; holdout ${held(holdout.winner)}, root ${held(holdout.root)}`;
}

/** The one that came closest to a gain. */
function closest(comparisons: Confirmation["comparisons"]): Confirmation["comparisons"][number] | undefined {
  return [...comparisons].sort((a, b) => (b.gain ?? -1) - (a.gain ?? -1))[0];
}

/** Whether it tells about this node: one found later was not among those that were scored. */
export function isConfirmed(confirmation: Confirmation | null, node: string): boolean {
  return confirmation?.candidates.some((candidate) => candidate.node === node) ?? false;
}
