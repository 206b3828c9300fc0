/** The tree of partial histories as lines of text. */

import { plural, score, tally } from "../client/words/format.ts";
import type { MetricNames } from "../client/words/metric.ts";
import type { Style } from "../client/words/style.ts";
import { isFailed, type ListedNode } from "../protocol/results.ts";

export interface TreeOptions {
  readonly style: Style;
  readonly metrics: MetricNames;
  /** Show every node. Otherwise leaves that lead nowhere are counted: all failed ones, and all but the best few. */
  readonly all: boolean;
}

/** Scored leaves shown below one node. */
const leavesShown = 4;

/** Lines of the trees of all tasks among `nodes`, which come in the order they were made. */
export function treeText(nodes: readonly ListedNode[], options: TreeOptions): string[] {
  const children = new Map<string, ListedNode[]>();
  for (const node of nodes)
    if (node.parent !== null) {
      const siblings = children.get(node.parent);
      if (siblings) siblings.push(node);
      else children.set(node.parent, [node]);
    }
  const lines: string[] = [];
  for (const root of nodes.filter((node) => node.parent === null)) {
    const own = nodes.filter((node) => node.task === root.task);
    if (lines.length > 0) lines.push("");
    lines.push(heading(root, own, options));
    draw(root, children, options, lines);
  }
  return lines;
}

function heading(root: ListedNode, own: readonly ListedNode[], { style, metrics }: TreeOptions): string {
  const best = own.find((node) => node.best);
  const deepest = own.reduce((depth, node) => Math.max(depth, node.depth), 0);
  const facts = [plural(own.length, "node"), `depth ${deepest}`];
  if (root.score !== null) facts.push(`root ${score(root.score)}`);
  if (root.comparable && best && best.score !== null)
    facts.push(`best ${metrics.scored(best.task, best.score)}`);
  return `${style.bold(root.task)}  ${style.dim(facts.join(", "))}`;
}

/** Depth first, with a stack of its own: a chain of improvements may be deeper than the call stack. */
function draw(
  root: ListedNode,
  children: ReadonlyMap<string, readonly ListedNode[]>,
  options: TreeOptions,
  lines: string[],
): void {
  const stack: { text: string; node: ListedNode | null; indent: string; last: boolean | null }[] = [
    { text: label(root, options), node: root, indent: "", last: null },
  ];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const branch = entry.last === null ? "" : entry.last ? "└─ " : "├─ ";
    lines.push(`${options.style.dim(entry.indent + branch)}${entry.text}`);
    if (entry.node === null) continue;
    const indent = entry.indent + (entry.last === null ? "" : entry.last ? "   " : "│  ");
    const { shown, counted } = fold(children.get(entry.node.id) ?? [], children, options);
    const below = [
      ...shown.map((node) => ({ text: label(node, options), node })),
      ...counted.map((text) => ({ text: options.style.dim(text), node: null })),
    ];
    for (const [index, child] of [...below.entries()].reverse())
      stack.push({ ...child, indent, last: index === below.length - 1 });
  }
}

function fold(
  siblings: readonly ListedNode[],
  children: ReadonlyMap<string, readonly ListedNode[]>,
  { all }: TreeOptions,
): { shown: readonly ListedNode[]; counted: readonly string[] } {
  if (all) return { shown: siblings, counted: [] };
  const kept = new Set(siblings.filter((node) => node.best || children.has(node.id)));
  const leaves = siblings.filter((node) => !kept.has(node));
  const scored = leaves.filter((node) => node.verdict === "scored");
  const byQuality = [...scored].sort((a, b) => (b.quality ?? 0) - (a.quality ?? 0));
  for (const node of byQuality.slice(0, leavesShown)) kept.add(node);
  const rest = byQuality.slice(leavesShown);
  const failed = leaves.filter((node) => isFailed(node.verdict)).map((node) => String(node.verdict));
  const other = leaves.filter((node) => node.verdict !== "scored" && !isFailed(node.verdict));
  const counted: string[] = [];
  const next = rest[0]?.score ?? null;
  if (rest.length > 0)
    counted.push(`${rest.length} more scored${next === null ? "" : `, up to ${score(next)}`}`);
  if (failed.length > 0) counted.push(`${failed.length} failed: ${tally(failed)}`);
  if (other.length > 0) counted.push(`${other.length} without a score: ${tally(other.map(verdictOf))}`);
  return { shown: siblings.filter((node) => kept.has(node)), counted };
}

function label(node: ListedNode, { style, metrics }: TreeOptions): string {
  const verdict =
    node.score !== null && node.verdict === "scored"
      ? metrics.scored(node.task, node.score)
      : (isFailed(node.verdict) ? style.red : style.dim)(verdictOf(node));
  const star = node.best ? style.yellow(" ★ best") : node.comparable ? "" : style.dim(" not comparable");
  return `${style.cyan(node.id)} ${node.goal ?? "root"}  ${verdict}${star}`;
}

function verdictOf(node: ListedNode): string {
  return node.verdict ?? "not scored yet";
}
