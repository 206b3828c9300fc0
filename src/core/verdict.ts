/** What became of one reply, and what that is worth (EXIT.md section 1, "Verdict and quality"). */

export const verdicts = [
  "scored",
  "invalid",
  "crash",
  "oom",
  "timeout",
  "output_limit",
  "disk_limit",
  "quarantine",
  "infra",
  "eval_error",
  "cancelled",
] as const;
export type Verdict = (typeof verdicts)[number];

/** Verdicts the revision itself is to blame for: quality 0, a *failed* node. */
const failed: ReadonlySet<Verdict> = new Set<Verdict>([
  "invalid",
  "crash",
  "oom",
  "timeout",
  "output_limit",
  "disk_limit",
]);

export function isFailed(verdict: Verdict | null): boolean {
  return verdict !== null && failed.has(verdict);
}

/** The range of a task's raw score. `worst` and `best` are finite and differ; the direction follows from them. */
export interface ScoreRange {
  readonly worst: number;
  readonly best: number;
}

/**
 * Quality in [0, 1] of a verdict, or null where the outcome says nothing about the revision
 * (quarantine, infra, eval_error, cancelled): such a member leaves the group's statistics.
 */
export function qualityOf(verdict: Verdict, score: number | null, range: ScoreRange): number | null {
  if (failed.has(verdict)) return 0;
  if (verdict !== "scored" || score === null) return null;
  return clip((score - range.worst) / (range.best - range.worst), 0, 1);
}

export function clip(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** True if raw score `a` is strictly better than `b` in the task's own direction. */
export function isBetter(a: number, b: number, range: ScoreRange): boolean {
  return range.best > range.worst ? a > b : a < b;
}
