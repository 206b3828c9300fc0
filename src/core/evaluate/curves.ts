/** From finished chains to curves: per k and policy the numbers of EXIT.md section 4, and what differs. */
import type { Protocol } from "./cell.ts";
import type { Trajectory } from "./chain.ts";
import { type Bootstrap, bootstrap, differences, type Estimate, estimates } from "./statistics.ts";

/** The numbers at one k, each averaged over chains and then over starts. */
export interface CurveRow {
  readonly k: number;
  /** Quality of the step's own result. */
  readonly quality: Estimate;
  /** Quality of the best so far, k = 0 included; under `greedy` as it was scored again. */
  readonly best: Estimate;
  /** Share of chains whose result is better than k = 0, minus the share whose result is worse. */
  readonly netCorrections: Estimate;
  /** Share of results that are not failed. */
  readonly valid: Estimate;
}

export interface PolicyCurve {
  readonly policy: string;
  /** Chains that count. */
  readonly chains: number;
  /** Chains that were dropped: a step had no quality twice. */
  readonly dropped: number;
  /** By k, from 0. */
  readonly rows: readonly CurveRow[];
  /** The same minus those of the first policy; null for the first. */
  readonly difference: readonly CurveRow[] | null;
}

/** A finished chain with the qualities its best solutions are reported with, by k. */
export interface MeasuredChain extends Pick<Trajectory, "quality" | "valid"> {
  readonly bestQuality: readonly number[];
}

/** The chains of one policy from one start. */
export interface MeasuredCell {
  readonly chains: readonly MeasuredChain[];
  readonly dropped: number;
}

export interface MeasuredPolicy {
  readonly policy: string;
  /** One for each start, in the same order for all policies. */
  readonly cells: readonly MeasuredCell[];
}

const metrics = ["quality", "best", "netCorrections", "valid"] as const;

/** Starts that count: those from which every policy has a chain. */
export function commonStarts(policies: readonly MeasuredPolicy[]): number[] {
  const starts = policies[0]?.cells.map((_, place) => place) ?? [];
  return starts.filter((place) => policies.every(({ cells }) => (cells[place]?.chains.length ?? 0) > 0));
}

/**
 * @param how `areTasks`: each start is a task of its own
 * @returns one curve for each policy; none if no start counts.
 */
export function curvesOf(
  policies: readonly MeasuredPolicy[],
  how: {
    readonly protocol: Protocol;
    readonly K: number;
    readonly seed: number;
    readonly areTasks: boolean;
  },
): PolicyCurve[] {
  const starts = commonStarts(policies);
  if (starts.length === 0) return [];
  const resampled = policies.map(({ cells }, place) => {
    const sample = starts.map((start) => cells[start]?.chains.map(columnsOf) ?? []);
    return bootstrap(sample, { seed: how.seed, name: `${how.protocol} ${place}` }, how.areTasks);
  });
  return policies.map(({ policy, cells }, place) => ({
    policy,
    chains: starts.reduce((sum, start) => sum + (cells[start]?.chains.length ?? 0), 0),
    dropped: cells.reduce((sum, cell) => sum + cell.dropped, 0),
    rows: rowsOf(estimates(at(resampled, place)), how.K),
    difference: place === 0 ? null : rowsOf(differences(at(resampled, place), at(resampled, 0)), how.K),
  }));
}

function at(resampled: readonly Bootstrap[], place: number): Bootstrap {
  const found = resampled[place];
  if (found === undefined) throw new RangeError(`there is no policy ${place}`);
  return found;
}

/** All numbers of a chain in one row: metric by metric, each by k. */
function columnsOf({ quality, bestQuality, valid }: MeasuredChain): number[] {
  const first = quality[0] ?? 0;
  return [...quality, ...bestQuality, ...quality.map((q) => Math.sign(q - first)), ...valid.map(Number)];
}

function rowsOf(columns: readonly Estimate[], K: number): CurveRow[] {
  return Array.from({ length: K + 1 }, (_, k) => {
    const of = (metric: (typeof metrics)[number]): Estimate => {
      const estimate = columns[metrics.indexOf(metric) * (K + 1) + k];
      if (estimate === undefined) throw new RangeError(`no column for ${metric} at k = ${k}`);
      return estimate;
    };
    return {
      k,
      quality: of("quality"),
      best: of("best"),
      netCorrections: of("netCorrections"),
      valid: of("valid"),
    };
  });
}
