/**
 * What a scored group is worth: learnability, rewards, advantages, diversity (EXIT.md sections 2.6 to 2.8 and
 * 5). Pure arithmetic over the members' qualities; a member without a quality is null everywhere.
 */
import type { Goal, RewardSetting } from "./history.ts";
import { clip } from "./verdict.ts";

export interface RewardMember {
  /** In [0, 1]; null: outside the group's statistics. */
  readonly quality: number | null;
  readonly failed: boolean;
  /** The solution equals the start's. */
  readonly unchanged: boolean;
}

/** Which rule holds for a step of this goal (section 2.7), before `paper`. */
export function ruleOf(goal: Goal, taskRule: "relative" | "absolute"): "relative" | "absolute" {
  return goal === "improve" || goal === "debug" ? taskRule : "absolute";
}

function present(values: readonly (number | null)[]): number[] {
  return values.filter((value): value is number => value !== null);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Population variance of the qualities; null with fewer than two.
 *
 * Section 2.9 compares variances and section 2.1 asks whether they are 0, so rounding must not tell equal ones
 * apart: deviations are taken from the first quality, which leaves exactly 0 of equal qualities, and the result
 * is kept to 12 digits, which does not depend on the order of the members.
 */
export function learnability(qualities: readonly (number | null)[]): number | null {
  const known = present(qualities);
  const first = known[0];
  if (first === undefined || known.length < 2) return null;
  const deviations = known.map((value) => value - first);
  const center = mean(deviations);
  return Number(mean(deviations.map((value) => (value - center) ** 2)).toPrecision(12));
}

/** Rewards, one a member; null without a quality. `startQuality` is needed by the relative rule. */
export function rewards(
  members: readonly RewardMember[],
  setting: RewardSetting,
  startQuality: number | null,
): (number | null)[] {
  return members.map((member) => {
    if (member.quality === null) return null;
    if (setting.rule === "absolute") return member.quality;
    const start = startQuality ?? 0;
    // Written as a difference, since -0 would be stored and shown as such.
    if (member.failed || member.unchanged) return 0 - setting.lambda;
    if (start >= 1) return member.quality >= 1 ? 1 : 0;
    return Math.max(0, (member.quality - start) / (1 - start));
  });
}

/** Group-normalised advantages with the unbiased standard deviation; all null with fewer than two rewards. */
export function advantages(rewardsOfGroup: readonly (number | null)[]): (number | null)[] {
  const known = present(rewardsOfGroup);
  if (known.length < 2) return rewardsOfGroup.map(() => null);
  const center = mean(known);
  const std = Math.sqrt(known.reduce((sum, value) => sum + (value - center) ** 2, 0) / (known.length - 1));
  return rewardsOfGroup.map((value) => (value === null ? null : (value - center) / (std + 1e-4)));
}

/**
 * Euclidean distances of the members' solutions from their centroid, from embeddings (null: no snapshot). Members
 * without one have none and are left out of the centroid.
 */
export function centroidDistances(embeddings: readonly (readonly number[] | null)[]): (number | null)[] {
  const known = embeddings.filter((vector): vector is readonly number[] => vector !== null);
  const centroid = (known[0] ?? []).map((_, axis) => mean(known.map((vector) => vector[axis] ?? 0)));
  return embeddings.map(
    (vector) =>
      vector && Math.sqrt(vector.reduce((sum, value, axis) => sum + (value - (centroid[axis] ?? 0)) ** 2, 0)),
  );
}

/**
 * Diversity factors `d`, one a member, from the distances to the centroid; 1 for a member without one. Ours: distance
 * over mean distance, clamped to [0.5, 2]. The paper's: distance over (max - min), 1 where that difference is below
 * 1e-9.
 */
export function diversityFactors(distances: readonly (number | null)[], paper: boolean): number[] {
  const known = present(distances);
  if (known.length === 0) return distances.map(() => 1);
  const divisor = paper ? Math.max(...known) - Math.min(...known) : mean(known);
  const none = paper ? divisor < 1e-9 : divisor === 0;
  return distances.map((distance) => {
    if (distance === null || none) return 1;
    return paper ? distance / divisor : clip(distance / divisor, 0.5, 2);
  });
}

/** Least spread of rewards that is more than noise of the start's score (section 5). */
export function informativeSpread(
  setting: RewardSetting,
  startQuality: number | null,
  startSE: number | null,
): number {
  const noise = 2 * (startSE ?? 0);
  const relative = setting.rule === "relative" && startQuality !== null && startQuality < 1;
  return Math.max(0.01, relative ? noise / (1 - startQuality) : noise);
}

/** Is the group worth learning from: two qualities at least and rewards that differ by more than noise? */
export function isInformative(
  rewardsOfGroup: readonly (number | null)[],
  setting: RewardSetting,
  startQuality: number | null,
  startSE: number | null,
): boolean {
  const known = present(rewardsOfGroup);
  if (known.length < 2) return false;
  const spread = Math.max(...known) - Math.min(...known);
  return spread >= informativeSpread(setting, startQuality, startSE);
}
