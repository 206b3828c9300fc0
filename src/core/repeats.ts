/** One result out of several runs of a solution, each with its own seed. */
import type { ScoreResult } from "./ports.ts";
import { qualityOf, type ScoreRange } from "./verdict.ts";

/** `EXIT_SEED` of each run of a search step: `repeats` of the task file. */
export function searchSeeds(repeats: number): readonly number[] {
  return Array.from({ length: repeats }, (_, index) => index);
}

/**
 * The mean score of runs that all scored, with the standard error its quality has. Where the verdict of one is
 * another, that verdict is the whole solution's: a revision that fails with some seeds has failed.
 * @param results at least one, in the order of `seeds`
 */
export function combineRepeats(
  results: readonly ScoreResult[],
  seeds: readonly number[],
  range: ScoreRange,
): ScoreResult {
  const [first, ...others] = results;
  if (first === undefined) throw new RangeError("no results to combine");
  const whole = {
    cached: results.every(({ cached }) => cached),
    ms: results.reduce((sum, { ms }) => sum + ms, 0),
  };
  const odd = results.findIndex(({ verdict }) => verdict !== "scored");
  const unlike = results[odd];
  if (unlike !== undefined) {
    const { feedback } = unlike;
    const said =
      feedback === null || seeds.length === 1 ? feedback : `With EXIT_SEED=${seeds[odd]}: ${feedback}`;
    return { ...unlike, ...whole, feedback: said };
  }
  if (others.length === 0) return { ...first, ...whole };
  const scores = results.flatMap(({ score }) => score ?? []);
  const score = mean(scores);
  const spread = scores.reduce((sum, value) => sum + (value - score) ** 2, 0) / (scores.length - 1);
  return {
    ...first,
    ...whole,
    score,
    quality: qualityOf("scored", score, range),
    qualitySE: Math.sqrt(spread / scores.length) / Math.abs(range.best - range.worst),
    metrics: meanMetrics(results.map(({ metrics }) => metrics)),
  };
}

/** Of the metrics that every run told. */
function meanMetrics(all: readonly ScoreResult["metrics"][]): Record<string, number> {
  const names = Object.keys(all[0] ?? {}).filter((name) => all.every((metrics) => name in metrics));
  return Object.fromEntries(names.map((name) => [name, mean(all.map((metrics) => metrics[name] ?? 0))]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
