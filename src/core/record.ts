/**
 * From the store's records back to a past: what a decision of a run may see (EXIT.md section 2,
 * "Determinism"). The decision for iteration `t` at pipeline depth `D` sees the closed iterations up to `t - D`
 * of its own run, of other runs what had been closed when it was taken, and the roots that were in force then.
 */
import type { DrawFor } from "./buffer.ts";
import type { GroupOpening, Node, RootInForce, Run } from "./history.ts";
import { addGroup, addRoot, emptyPast, type Past } from "./past.ts";
import type { ClosedGroup, Store } from "./ports.ts";
import { draw } from "./rng.ts";
import type { Settings } from "./settings.ts";

/** Settings of a run with the capacity it was opened with. */
export function resolvedSettings(run: Run): Settings & { readonly capacity: number } {
  if (run.settings.capacity === null) throw new RangeError(`run ${run.id} was stored without a capacity`);
  return { ...run.settings, capacity: run.settings.capacity };
}

/** The draws of a group's closing, keyed like every draw of its run; each one asked for is kept in `record`. */
export function closingDraws(run: Run, iteration: number, record: Record<string, number> = {}): DrawFor {
  return (purpose, index = 0) => {
    const u = draw(run.seed, iteration, purpose, index);
    record[index === 0 ? purpose : `${purpose}${index}`] = u;
    return u;
  };
}

/** Everything the store knows about closed groups, read once. */
export interface HistoryRecord {
  readonly runs: ReadonlyMap<string, Run>;
  readonly nodes: readonly Node[];
  /** By `closedSeq`. */
  readonly groups: readonly ClosedGroup[];
  /** By `seq`. */
  readonly roots: readonly RootInForce[];
}

export type RecordStore = Pick<Store, "runs" | "nodes" | "closedGroups" | "rootsInForce">;

export function readRecord(store: RecordStore): HistoryRecord {
  return {
    runs: new Map(store.runs().map((run) => [run.id, run])),
    nodes: store.nodes(),
    groups: store.closedGroups(),
    roots: store.rootsInForce(),
  };
}

/** What happened to the history, one after the other: a root came into force, or a group closed. */
export type HistoryStep =
  | { readonly root: Node }
  | { readonly group: ClosedGroup; readonly nodes: readonly Node[] };

/** What of a record is looked at; the default is everything. */
export interface Sight {
  readonly group: (group: ClosedGroup) => boolean;
  /** `seq` of the newest root in force. */
  readonly roots: number;
}

const everything: Sight = { group: () => true, roots: Number.POSITIVE_INFINITY };

/** What a decision may see: `iteration` of `run`, with the other runs' groups and the roots its opening names. */
export function sightOf(run: Run, at: Pick<GroupOpening, "iteration" | "basis" | "roots">): Sight {
  return {
    group: (group) =>
      group.run === run.id
        ? group.iteration <= at.iteration - run.settings.pipelineDepth
        : group.closedSeq <= at.basis,
    roots: at.roots,
  };
}

/** The steps that are seen, in the order they happened. */
export function stepsOf(record: HistoryRecord, sight: Sight = everything): HistoryStep[] {
  const rootNodes = new Map<string, Node>();
  const made = new Map<string, Node[]>();
  for (const node of record.nodes) {
    const siblings = node.group === null ? undefined : made.get(node.group);
    if (node.group === null) rootNodes.set(node.id, node);
    else if (siblings) siblings.push(node);
    else made.set(node.group, [node]);
  }
  const steps: { readonly at: number; readonly step: HistoryStep }[] = [];
  for (const { seq, node, after } of record.roots) {
    const root = rootNodes.get(node);
    if (root === undefined) throw new RangeError(`root ${node} is not stored`);
    if (seq <= sight.roots) steps.push({ at: after + 0.5, step: { root } });
  }
  for (const group of record.groups)
    if (sight.group(group))
      steps.push({ at: group.closedSeq, step: { group, nodes: made.get(group.id) ?? [] } });
  // A stable sort: roots that came into force between the same two closings keep their order.
  return steps.sort((a, b) => a.at - b.at).map(({ step }) => step);
}

/** The past after the steps that are seen. */
export function pastOf(record: HistoryRecord, sight: Sight = everything): Past {
  const past = emptyPast();
  for (const step of stepsOf(record, sight)) fold(past, record.runs, step);
  return past;
}

/**
 * The past of growing sights on one history: folded on where the steps only went on since the last time, else from
 * the start, so that it is always what `pastOf` gives.
 */
export function followPast(runs: ReadonlyMap<string, Run>): (steps: readonly HistoryStep[]) => Past {
  let past = emptyPast();
  let folded: readonly HistoryStep[] = [];
  return (steps) => {
    if (!folded.every((step, place) => isSameStep(step, steps[place]))) {
      past = emptyPast();
      folded = [];
    }
    for (const step of steps.slice(folded.length)) fold(past, runs, step);
    folded = steps;
    return past;
  };
}

function isSameStep(a: HistoryStep, b: HistoryStep | undefined): boolean {
  if (b === undefined) return false;
  if ("root" in a) return "root" in b && a.root.id === b.root.id;
  return "group" in b && a.group.id === b.group.id;
}

/** Folds one more step into a past; the draws it needs are keyed, or taken from `drawFor`. */
export function fold(past: Past, runs: ReadonlyMap<string, Run>, step: HistoryStep, drawFor?: DrawFor): void {
  if ("root" in step) {
    addRoot(past, step.root);
    return;
  }
  const { group, nodes } = step;
  const run = runs.get(group.run);
  if (run === undefined) throw new RangeError(`group ${group.id} belongs to no stored run`);
  addGroup(past, group, nodes, resolvedSettings(run), drawFor ?? closingDraws(run, group.iteration));
}
