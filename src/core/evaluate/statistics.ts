/**
 * Means with bootstrap intervals over chains (EXIT.md section 4): each resample draws the chains of every cell
 * anew, with replacement, and averages over the fixed starts. All numbers of a chain are columns of one row, so
 * that one resample serves them all.
 */
import { pickMany } from "../rng.ts";

/** [row][column]. */
type Rows = readonly (readonly number[])[];

/** [start][chain][column]; every start has a chain, every chain the same columns. */
export type Sample = readonly Rows[];

export interface Estimate {
  readonly mean: number;
  /** Ends of the 95 % interval over chains; each is a one-sided bound of 97.5 %. */
  readonly low: number;
  readonly high: number;
  /** The same over tasks as well; null with fewer than ten of them. */
  readonly overTasks: { readonly low: number; readonly high: number } | null;
}

/** A sample with its resamples, column by column. */
export interface Bootstrap {
  readonly means: readonly number[];
  /** [resample][column]. */
  readonly resamples: Rows;
  /** The same with the tasks drawn anew too; null with too few. */
  readonly overTasks: Rows | null;
}

const resampleCount = 2_000;
/** With fewer tasks an interval over them says nothing. */
export const leastTasks = 10;

/**
 * @param draws `seed` and a `name` of the sample: samples of other names are drawn independently, the tasks of
 *   all alike, so that two policies are compared on the same ones
 * @param areTasks each start is a task of its own
 */
export function bootstrap(
  sample: Sample,
  draws: { readonly seed: number; readonly name: string },
  areTasks: boolean,
): Bootstrap {
  const ofStart = sample.map(meanOf);
  /** The mean of as many rows, drawn from these with replacement. */
  const drawn = (rows: Rows, b: number, purpose: string): number[] => {
    const picks = pickMany(draws.seed, b, purpose, { many: rows.length, count: rows.length });
    return meanOf(picks.map((place) => rows[place] ?? []));
  };
  const resamples = Array.from({ length: resampleCount }, (_, b) =>
    meanOf(sample.map((chains, start) => drawn(chains, b, `${draws.name} ${start}`))),
  );
  const overTasks =
    areTasks && sample.length >= leastTasks
      ? Array.from({ length: resampleCount }, (_, b) => drawn(ofStart, b, "tasks"))
      : null;
  return { means: meanOf(ofStart), resamples, overTasks };
}

/** One estimate a column. */
export function estimates({ means, resamples, overTasks }: Bootstrap): Estimate[] {
  return means.map((mean, column) => ({
    mean,
    ...interval(resamples, column),
    overTasks: overTasks === null ? null : interval(overTasks, column),
  }));
}

/** One estimate a column of `a - b`. */
export function differences(a: Bootstrap, b: Bootstrap): Estimate[] {
  return estimates({
    means: subtract(a.means, b.means),
    resamples: subtractAll(a.resamples, b.resamples),
    overTasks: a.overTasks === null || b.overTasks === null ? null : subtractAll(a.overTasks, b.overTasks),
  });
}

function interval(rows: Rows, column: number): { low: number; high: number } {
  const sorted = Float64Array.from(rows, (row) => row[column] ?? 0).sort();
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** Of sorted values, with linear interpolation between neighbours. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

function meanOf(rows: Rows): number[] {
  const sums = new Array<number>(rows[0]?.length ?? 0).fill(0);
  for (const row of rows)
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (row[at] ?? 0);
  return sums.map((sum) => sum / rows.length);
}

function subtract(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, at) => value - (b[at] ?? 0));
}

function subtractAll(a: Rows, b: Rows): number[][] {
  return a.map((row, at) => subtract(row, b[at] ?? []));
}
