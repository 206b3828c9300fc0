/**
 * From the store's records back to a past: what a decision of a run may see (EXIT.md section 2,
 * "Determinism"). The decision for iteration `t` at pipeline depth `D` sees the closed iterations up to `t - D`
 * of its own run, and of other runs what had been closed when it was taken.
 */
import type { DrawFor } from "./buffer.ts";
import type { Node, Run } from "./history.ts";
import { addGroup, addNode, emptyPast, type Past } from "./past.ts";
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
  readonly groups: readonly ClosedGroup[];
}

export function readRecord(store: Pick<Store, "runs" | "nodes" | "closedGroups">): HistoryRecord {
  return {
    runs: new Map(store.runs().map((run) => [run.id, run])),
    nodes: store.nodes(),
    groups: store.closedGroups(),
  };
}

/** The past after the closed groups that `sees` lets through; roots are always seen. */
export function pastOf(record: HistoryRecord, sees: (group: ClosedGroup) => boolean = () => true): Past {
  const past = emptyPast();
  const made = new Map<string, Node[]>();
  for (const node of record.nodes) {
    if (node.group === null) addNode(past, node);
    else made.set(node.group, [...(made.get(node.group) ?? []), node]);
  }
  for (const group of record.groups) {
    if (!sees(group)) continue;
    fold(past, record.runs, group, made.get(group.id) ?? []);
  }
  return past;
}

/** Folds one more closed group into a past. */
export function fold(
  past: Past,
  runs: ReadonlyMap<string, Run>,
  group: ClosedGroup,
  nodes: readonly Node[],
  drawFor?: DrawFor,
): void {
  const run = runs.get(group.run);
  if (run === undefined) throw new RangeError(`group ${group.id} belongs to no stored run`);
  addGroup(past, group, nodes, resolvedSettings(run), drawFor ?? closingDraws(run, group.iteration));
}

/** What the decision for `iteration` of `run` may see, given the other runs' groups closed up to `basis`. */
export function visibleTo(run: Run, iteration: number, basis: number): (group: ClosedGroup) => boolean {
  return (group) =>
    group.run === run.id
      ? group.iteration <= iteration - run.settings.pipelineDepth
      : group.closedSeq <= basis;
}
