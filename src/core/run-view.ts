/**
 * The histories one session of a run works with: `current`, after every closed group, for closings, and a
 * lagging one for decisions, which look exactly `pipelineDepth` iterations back whatever has finished since.
 */
import type { Node, Run } from "./history.ts";
import type { Past } from "./past.ts";
import type { ClosedGroup, Store } from "./ports.ts";
import { closingDraws, fold, pastOf, readRecord, visibleTo } from "./record.ts";

export interface RunView {
  readonly current: Past;
  /** Newest `closedSeq` of other runs' groups. */
  readonly basis: number;
  /** The first iteration that is not over yet. */
  readonly firstIteration: number;
  /** Was this iteration's first try closed as lost? */
  lostFirstTry(iteration: number): boolean;
  /** What the decision for `iteration` may see. Asked with growing iterations. */
  visibleAt(iteration: number): Past;
  nextClosedSeq(): number;
  /** Folds a group of this run that is about to be stored, and returns the draws that needed. */
  add(group: ClosedGroup, nodes: readonly Node[]): Record<string, number>;
}

export function openRunView(run: Run, store: Pick<Store, "runs" | "nodes" | "closedGroups">): RunView {
  const record = readRecord(store);
  const runs = new Map([...record.runs, [run.id, run]]);
  const current = pastOf(record);
  const own = record.groups.filter((group) => group.run === run.id);
  const basis = record.groups.findLast((group) => group.run !== run.id)?.closedSeq ?? 0;
  const firstIteration = Math.max(-1, ...own.filter(endsIteration).map((group) => group.iteration)) + 1;

  // Own groups not visible yet, oldest first, with the nodes they made.
  const hidden: { readonly group: ClosedGroup; readonly nodes: readonly Node[] }[] = [];
  const sees = visibleTo(run, firstIteration, basis);
  let visible = pastOf(record, sees);
  for (const group of own) {
    if (!sees(group)) hidden.push({ group, nodes: record.nodes.filter((node) => node.group === group.id) });
  }
  const lost = new Set(own.filter((group) => !endsIteration(group)).map((group) => group.iteration));
  let closedSeq = record.groups.at(-1)?.closedSeq ?? 0;

  return {
    current,
    basis,
    firstIteration,
    lostFirstTry: (iteration) => lost.has(iteration),
    visibleAt(iteration) {
      const next = visibleTo(run, iteration, basis);
      while (hidden[0] !== undefined && next(hidden[0].group)) {
        const { group, nodes } = hidden[0];
        if (group.closedSeq >= basis) {
          hidden.shift();
          fold(visible, runs, group, nodes);
          continue;
        }
        // Another run closed groups after this one: only a fold from the start keeps their order.
        visible = pastOf(readRecord(store), next);
        while (hidden[0] !== undefined && next(hidden[0].group)) hidden.shift();
      }
      return visible;
    },
    nextClosedSeq: () => closedSeq + 1,
    add(group, nodes) {
      const draws: Record<string, number> = {};
      fold(current, runs, group, nodes, closingDraws(run, group.iteration, draws));
      closedSeq = group.closedSeq;
      hidden.push({ group, nodes });
      return draws;
    },
  };
}

/** False for a first try that was lost: its iteration is sampled once more. */
export function endsIteration(group: Pick<ClosedGroup, "state" | "attempt">): boolean {
  return group.state === "closed" || group.attempt > 0;
}
