/** Looking at the history: nodes with their iteration, the best ones, names such as `best`. */
import { ExitError } from "../core/errors.ts";
import type { Node } from "../core/history.ts";
import { isComparable } from "../core/past.ts";
import type { Store } from "../core/ports.ts";
import type { ListedNode } from "../core/reports.ts";

/** Tells whether a node was scored by the evaluator its task has now. */
type Comparable = (node: Node) => boolean;

/** The root in force of each task. */
export function rootsOf(
  store: Pick<Store, "nodes" | "rootsInForce">,
  nodes = store.nodes(),
): ReadonlyMap<string, Node> {
  const byId = new Map(nodes.filter((node) => node.parent === null).map((node) => [node.id, node]));
  const roots = new Map<string, Node>();
  for (const { task, node } of store.rootsInForce()) {
    const root = byId.get(node);
    if (root !== undefined) roots.set(task, root);
  }
  return roots;
}

export function comparableIn(
  store: Pick<Store, "nodes" | "rootsInForce">,
  nodes = store.nodes(),
): Comparable {
  const roots = rootsOf(store, nodes);
  return (node) => isComparable({ roots }, node);
}

/** The oldest scored node of the highest quality among those that are comparable, or null. */
export function bestOf(nodes: readonly Node[], task: string, comparable: Comparable): Node | null {
  let best: Node | null = null;
  for (const node of nodes) {
    if (node.task !== task || node.verdict !== "scored" || node.quality === null) continue;
    if (!comparable(node)) continue;
    if (best?.quality == null || node.quality > best.quality) best = node;
  }
  return best;
}

export function listNodes(
  store: Pick<Store, "nodes" | "closedGroups" | "rootsInForce">,
  task: string | null,
): readonly ListedNode[] {
  const nodes = store.nodes();
  const comparable = comparableIn(store, nodes);
  const iterations = new Map(store.closedGroups().map((group) => [group.id, group.iteration]));
  const tasks = new Set(nodes.map((node) => node.task));
  const best = new Set([...tasks].map((name) => bestOf(nodes, name, comparable)?.id));
  return nodes
    .filter((node) => task === null || node.task === task)
    .map((node) => ({
      ...node,
      iteration: node.group === null ? null : (iterations.get(node.group) ?? null),
      best: best.has(node.id),
      comparable: comparable(node),
    }));
}

/**
 * The node a user names: an id, or `best` of a task (of the only one, if there is one).
 * @throws ExitError `node-unknown`, `task-needed`, `nothing-scored`.
 */
export function findNode(
  store: Pick<Store, "nodes" | "rootsInForce">,
  name: string,
  task: string | null,
): Node {
  const nodes = store.nodes();
  if (name !== "best") {
    const node = nodes.find((candidate) => candidate.id === name);
    if (node) return node;
    throw new ExitError("node-unknown", `There is no node ${name}. "exit-ml tree" lists them.`);
  }
  const tasks = [...new Set(nodes.map((node) => node.task))];
  const chosen = task ?? tasks[0];
  if (task === null && tasks.length > 1)
    throw new ExitError(
      "task-needed",
      `Several tasks have a best node: name one with --task (${tasks.join(", ")}).`,
    );
  const best = chosen === undefined ? null : bestOf(nodes, chosen, comparableIn(store, nodes));
  if (best) return best;
  throw new ExitError("nothing-scored", 'No node has scored yet. Start with "exit-ml run".');
}

/** The root a node descends from. */
export function rootOf(nodes: readonly Node[], node: Node): Node {
  const byId = new Map(nodes.map((candidate) => [candidate.id, candidate]));
  let top = node;
  while (top.parent !== null) {
    const parent = byId.get(top.parent);
    if (parent === undefined) throw new RangeError(`node ${top.id} has an unknown parent`);
    top = parent;
  }
  return top;
}

/** @throws ExitError `no-snapshot`. */
export function snapshotOf(node: Node): string {
  if (node.snapshot === null) throw new ExitError("no-snapshot", `Node ${node.id} holds no solution.`);
  return node.snapshot;
}
