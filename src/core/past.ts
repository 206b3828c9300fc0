/**
 * What a decision may look at: the tree, the buffer and the greedy counts after a given sequence of closed
 * groups. It is a fold over the store's records and nothing else, so a fresh process arrives at the same one.
 *
 * A task is scored by one evaluator at a time, that of its root in force. Nodes of another one are kept in the tree
 * and count for nothing: they are no starts, no entries of the buffer, and nothing is compared with them.
 */
import { type Buffer, type Candidate, type DrawFor, updateBuffer } from "./buffer.ts";
import type { Node } from "./history.ts";
import type { ClosedGroup } from "./ports.ts";
import type { Settings } from "./settings.ts";
import { isFailed } from "./verdict.ts";

export interface Past {
  /** In the order they were made. */
  readonly nodes: Node[];
  readonly byId: Map<string, Node>;
  /** The root in force of each task. */
  readonly roots: Map<string, Node>;
  /** The oldest node of each (task, evaluator, snapshot). */
  readonly oldest: Map<string, Node>;
  /** The one node of each (parent, snapshot). */
  readonly children: Map<string, Node>;
  buffer: Buffer;
  /** Per task: the highest quality so far, and the greedy groups since it was reached, by snapshot. */
  readonly greedy: Map<string, { best: number; counts: Map<string, number> }>;
}

export function emptyPast(): Past {
  return {
    nodes: [],
    byId: new Map(),
    roots: new Map(),
    oldest: new Map(),
    children: new Map(),
    buffer: [],
    greedy: new Map(),
  };
}

/** Key of a snapshot within a task or below a parent. */
const contentKey = (place: string, snapshot: string): string => `${place}\0${snapshot}`;

/** The node that already holds this snapshot below this parent. */
export function childOf(past: Past, parent: string, snapshot: string): Node | undefined {
  return past.children.get(contentKey(parent, snapshot));
}

/** The oldest node with this snapshot in the task, scored by the same evaluator: the one that stands for all. */
export function oldestOf(past: Past, node: Node): Node {
  return (node.snapshot !== null && past.oldest.get(scoredKey(node, node.snapshot))) || node;
}

function scoredKey({ task, evaluator }: Node, snapshot: string): string {
  return contentKey(`${task}\0${evaluator ?? ""}`, snapshot);
}

/** Was the node scored by the evaluator its task has now? */
export function isComparable({ roots }: { readonly roots: ReadonlyMap<string, Node> }, node: Node): boolean {
  return roots.get(node.task)?.evaluator === node.evaluator;
}

function greedyOf(past: Past, task: string): { best: number; counts: Map<string, number> } {
  let entry = past.greedy.get(task);
  if (entry === undefined) {
    entry = { best: Number.NEGATIVE_INFINITY, counts: new Map() };
    past.greedy.set(task, entry);
  }
  return entry;
}

function addNode(past: Past, node: Node): void {
  if (past.byId.has(node.id)) return;
  past.nodes.push(node);
  past.byId.set(node.id, node);
  if (node.snapshot !== null) {
    const key = scoredKey(node, node.snapshot);
    if (!past.oldest.has(key)) past.oldest.set(key, node);
    if (node.parent !== null) past.children.set(contentKey(node.parent, node.snapshot), node);
  }
  countBest(past, node);
}

function countBest(past: Past, node: Node): void {
  if (node.verdict !== "scored" || node.quality === null || !isComparable(past, node)) return;
  const greedy = greedyOf(past, node.task);
  if (node.quality > greedy.best) {
    greedy.best = node.quality;
    greedy.counts.clear();
  }
}

/** Brings a root into force. What was measured under another evaluator of its task is forgotten. */
export function addRoot(past: Past, root: Node): void {
  const before = past.roots.get(root.task);
  past.roots.set(root.task, root);
  addNode(past, root);
  if (before === undefined || before.evaluator === root.evaluator) return;
  past.buffer = past.buffer.filter((entry) => entry.task !== root.task);
  past.greedy.delete(root.task);
  for (const node of past.nodes) if (node.task === root.task) countBest(past, node);
}

/** Folds one closed group in; `nodes` are the ones it made. */
export function addGroup(
  past: Past,
  group: ClosedGroup,
  nodes: readonly Node[],
  settings: Pick<Settings, "insert" | "paper"> & { readonly capacity: number },
  drawFor: DrawFor,
): void {
  if (group.state === "closed") countGreedy(past, group);
  for (const node of nodes) addNode(past, node);
  const start = past.byId.get(group.start);
  if (group.state !== "closed" || group.learnability === null || start === undefined) return;
  const children = group.strategy === "curriculum" ? [] : group.children;
  past.buffer = updateBuffer(
    past.buffer,
    {
      start: candidate(past, start),
      fromBuffer: group.fromBuffer,
      S: group.learnability,
      informative: group.informative,
      policy: group.policy,
      children: children.flatMap((child) => {
        const node = child.node === null ? undefined : past.byId.get(child.node);
        // An unchanged reply points at its start: it made no node, so it is no child.
        return node === undefined || node.id === group.start ? [] : [candidate(past, node)];
      }),
      closedSeq: group.closedSeq,
    },
    settings,
    drawFor,
  );
}

function candidate(past: Past, node: Node): Candidate {
  return {
    task: node.task,
    node: oldestOf(past, node).id,
    snapshot: node.snapshot,
    failed: isFailed(node.verdict),
    quality: node.quality,
  };
}

function countGreedy(past: Past, group: ClosedGroup): void {
  if (group.strategy !== "greedy" || group.startSnapshot === null) return;
  const { counts } = greedyOf(past, group.task);
  if (group.draws.greedyRestart === 1) counts.clear();
  counts.set(group.startSnapshot, (counts.get(group.startSnapshot) ?? 0) + 1);
}
