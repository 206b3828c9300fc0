/**
 * Confirming a task's winner: the best by their search scores against the root, on seeds no search has seen. Choosing
 * the highest of many noisy scores flatters; these scores do not know which was chosen.
 *
 * One-sided Welch tests at 2.5 % over the at most three candidates, corrected by Holm (1979). Welch's test and not a
 * paired one: seeds of two solutions share nothing but their number, and with eight the paired test has half the
 * degrees of freedom and misses gains of four standard errors too often (test/unit/core/confirmation.test.ts).
 */
import type { Node } from "./history.ts";
import { upperQuantile, upperTail } from "./student-t.ts";
import type { ScoreRange, Verdict } from "./verdict.ts";

/** Seeds of a confirmation. Searches use those from 0 up to their repeats, which are at most 100. */
export const confirmationSeeds: readonly number[] = [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007];

/**
 * Seeds after which a task is taken to be deterministic if each solution has scored the same with all of them. If the
 * root and three candidates were draws from one distribution, all four would be constant over three seeds, and a
 * candidate above the root, in at most 0.4 % of cases, whatever the distribution (over two seeds: 3.8 %).
 */
export const firstLook = 3;

const candidatesAtMost = 3;
const significance = 0.025;

/** A solution scored on the seeds of a confirmation. */
export interface Rescored {
  readonly node: string;
  /** By seed; null where it has none (see `Outcome`). A failed verdict has quality 0 and no score. */
  readonly trials: readonly {
    readonly seed: number;
    readonly verdict: Verdict;
    readonly score: number | null;
    readonly quality: number | null;
  }[];
}

/** A candidate against the root, in qualities. */
export interface Comparison {
  readonly node: string;
  /** Difference of the means; null if either has fewer than two qualities. */
  readonly gain: number | null;
  /** Two-sided, at the level the test had after Holm's correction: it excludes 0 below exactly where the gain is real. */
  readonly interval: readonly [number, number] | null;
  /** Neither solution's scores differ between seeds. */
  readonly deterministic: boolean;
  /** One-sided, uncorrected; null for a deterministic pair. */
  readonly p: number | null;
  /** The gain is more than noise. */
  readonly isGain: boolean;
}

export interface Confirmation {
  readonly task: string;
  /** ISO 8601. */
  readonly at: string;
  /** `ResolvedTask.evaluatorDigest` it was made with. */
  readonly evaluator: string;
  /** The scale behind the qualities. */
  readonly range: ScoreRange;
  readonly root: Rescored;
  /** The best first by their search scores. */
  readonly candidates: readonly Rescored[];
  /** One a candidate, in their order. */
  readonly comparisons: readonly Comparison[];
  /** The real gain with the highest mean; null: no gain beyond noise. */
  readonly winner: string | null;
  /** Winner and root once on the holdout; null without a winner or a holdout. */
  readonly holdout: { readonly root: HoldoutScore; readonly winner: HoldoutScore } | null;
}

export interface HoldoutScore {
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number | null;
}

/** The nodes to confirm: better than the root by their search scores, distinct solutions, the best first. */
export function candidatesOf(nodes: readonly Node[], root: Node): readonly Node[] {
  const seen = new Set([root.snapshot]);
  const better = nodes.filter((node) => {
    if (node.task !== root.task || node.verdict !== "scored" || node.quality === null) return false;
    if (node.snapshot === null || node.quality <= (root.quality ?? 0) || seen.has(node.snapshot))
      return false;
    // In the order they were made: the oldest stands for all of its content.
    seen.add(node.snapshot);
    return true;
  });
  return better.sort((a, b) => (b.quality ?? 0) - (a.quality ?? 0)).slice(0, candidatesAtMost);
}

/** Each solution has scored the same with every seed so far. */
export function isDeterministic(solutions: readonly Rescored[]): boolean {
  return solutions.every(({ trials }) => {
    const [first] = trials;
    return trials.every(({ verdict, score, quality }) =>
      first === undefined ? false : quality !== null && verdict === first.verdict && score === first.score,
    );
  });
}

/** @param candidates at least one */
export function compare(
  root: Rescored,
  candidates: readonly Rescored[],
): Pick<Confirmation, "comparisons" | "winner"> {
  const ofRoot = summary(root);
  const tests = candidates.map((candidate) => test(ofRoot, summary(candidate)));
  const levels = holm(tests.map((made) => made?.p ?? 1));
  const comparisons = candidates.map(({ node }, index): Comparison => {
    const made = tests[index] ?? null;
    if (made === null)
      return { node, gain: null, interval: null, deterministic: false, p: null, isGain: false };
    const { gain, error, degrees, p } = made;
    const { level, rejected } = levels[index] ?? { level: significance, rejected: false };
    const deterministic = error === 0;
    const half = deterministic ? 0 : upperQuantile(level, degrees) * error;
    return {
      node,
      gain,
      interval: [gain - half, gain + half],
      deterministic,
      p: deterministic ? null : p,
      isGain: rejected,
    };
  });
  let winner: Comparison | null = null;
  for (const comparison of comparisons)
    if (comparison.isGain && (winner === null || (comparison.gain ?? 0) > (winner.gain ?? 0)))
      winner = comparison;
  return { comparisons, winner: winner?.node ?? null };
}

interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Of the mean, squared. */
  readonly variance: number;
}

function summary({ trials }: Rescored): Summary | null {
  const values = trials.flatMap(({ quality }) => quality ?? []);
  const count = values.length;
  const [first] = values;
  if (count < 2 || first === undefined) return null;
  // Exactly zero for equal values, which the sum of rounded differences would not be.
  if (values.every((value) => value === first)) return { count, mean: first, variance: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count, mean, variance: squares / (count - 1) / count };
}

interface Test {
  readonly gain: number;
  /** Standard error of the gain. */
  readonly error: number;
  readonly degrees: number;
  readonly p: number;
}

/** Welch's test of `candidate > root`, with Satterthwaite's degrees of freedom. */
function test(root: Summary | null, candidate: Summary | null): Test | null {
  if (root === null || candidate === null) return null;
  const gain = candidate.mean - root.mean;
  const variance = root.variance + candidate.variance;
  if (variance === 0) return { gain, error: 0, degrees: 1, p: gain > 0 ? 0 : 1 };
  const error = Math.sqrt(variance);
  const degrees =
    variance ** 2 / (root.variance ** 2 / (root.count - 1) + candidate.variance ** 2 / (candidate.count - 1));
  return { gain, error, degrees, p: upperTail(gain / error, degrees) };
}

/** Holm's steps: the smallest p against the strictest level, the rest only as long as all before were rejected. */
function holm(ps: readonly number[]): { readonly level: number; readonly rejected: boolean }[] {
  const order = ps.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const steps: { level: number; rejected: boolean }[] = [];
  let level = 0;
  let rejecting = true;
  for (const [place, { p, index }] of order.entries()) {
    if (rejecting) level = significance / (ps.length - place);
    rejecting &&= p <= level;
    // After the first that is not rejected the level stays: the interval of a later one includes 0 as well.
    steps[index] = { level, rejected: rejecting };
  }
  return steps;
}
