// What a run has come to, from the nodes of `exit-ml tree --json`.

/** @typedef {{ id: string, parent: string | null, depth: number, verdict: string, score: number | null, quality: number | null }} Node */

/**
 * @param {Node[]} nodes
 * @returns {{ best: Node, baseline: Node | undefined, deepest: number, verdicts: Record<string, number> } | undefined}
 *   best: the scored node of highest quality, the earliest among equals; baseline: the root it descends from;
 *   undefined when nothing is scored
 */
export function resultOf(nodes) {
  /** @type {Record<string, number>} */
  const verdicts = {};
  for (const node of nodes)
    if (node.parent !== null) verdicts[node.verdict] = (verdicts[node.verdict] ?? 0) + 1;
  const scored = nodes.filter((node) => node.verdict === "scored" && typeof node.quality === "number");
  if (scored.length === 0) return undefined;
  const best = scored.reduce((leader, node) =>
    Number(node.quality) > Number(leader.quality) ? node : leader,
  );
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let root = /** @type {Node | undefined} */ (best);
  while (root && root.parent !== null) root = byId.get(root.parent);
  return { best, baseline: root, deepest: Math.max(...nodes.map((node) => node.depth)), verdicts };
}
