/**
 * The histories one session of a run works with: `current`, after every closed group, for closings, and a
 * lagging one for decisions, which look exactly `pipelineDepth` iterations back whatever has finished since.
 */
import type { Node, Run } from "./history.ts";
import type { Past } from "./past.ts";
import type { ClosedGroup } from "./ports.ts";
import {
  closingDraws,
  fold,
  followPast,
  pastOf,
  type RecordStore,
  readRecord,
  sightOf,
  stepsOf,
} from "./record.ts";

export interface RunView {
  readonly current: Past;
  /** Newest `closedSeq` of other runs' groups. */
  readonly basis: number;
  /** Newest `seq` of the roots in force. */
  readonly roots: number;
  /** The first iteration that is not over yet. */
  readonly firstIteration: number;
  /** Was this iteration's first try closed as lost? */
  lostFirstTry(iteration: number): boolean;
  /** What the decision for `iteration` may see. */
  visibleAt(iteration: number): Past;
  nextClosedSeq(): number;
  /** Informative groups of this run. */
  informative(): number;
  /** Folds a group of this run that is about to be stored, and returns the draws that needed. */
  add(group: ClosedGroup, nodes: readonly Node[]): Record<string, number>;
}

export function openRunView(run: Run, store: RecordStore): RunView {
  const stored = readRecord(store);
  const runs = new Map([...stored.runs, [run.id, run]]);
  const [groups, nodes] = [[...stored.groups], [...stored.nodes]];
  const record = { runs, groups, nodes, roots: stored.roots };
  const current = pastOf(record);
  const visible = followPast(runs);
  const own = groups.filter((group) => group.run === run.id);
  const basis = groups.findLast((group) => group.run !== run.id)?.closedSeq ?? 0;
  const roots = record.roots.at(-1)?.seq ?? 0;
  const lost = new Set(own.filter((group) => !endsIteration(group)).map((group) => group.iteration));

  return {
    current,
    basis,
    roots,
    firstIteration: Math.max(-1, ...own.filter(endsIteration).map((group) => group.iteration)) + 1,
    lostFirstTry: (iteration) => lost.has(iteration),
    visibleAt: (iteration) => visible(stepsOf(record, sightOf(run, { iteration, basis, roots }))),
    nextClosedSeq: () => (groups.at(-1)?.closedSeq ?? 0) + 1,
    informative: () => groups.filter((group) => group.run === run.id && group.informative).length,
    add(group, made) {
      const draws: Record<string, number> = {};
      fold(current, runs, { group, nodes: made }, closingDraws(run, group.iteration, draws));
      groups.push(group);
      nodes.push(...made);
      return draws;
    },
  };
}

/** False for a first try that was lost: its iteration is sampled once more. */
export function endsIteration(group: Pick<ClosedGroup, "state" | "attempt">): boolean {
  return group.state === "closed" || group.attempt > 0;
}
