/** Nodes and events as the runner sends them. */
import type { ListedNode } from "../../../src/protocol/results.ts";

export function node(id: string, parent: string | null, change: Partial<ListedNode> = {}): ListedNode {
  return {
    id,
    task: "digits",
    parent,
    depth: parent === null ? 0 : 1,
    goal: parent === null ? null : "improve",
    verdict: "scored",
    score: 0.5,
    quality: 0.5,
    qualitySE: null,
    snapshot: `snapshot of ${id}`,
    group: parent === null ? null : "g1",
    policy: parent === null ? null : "m@1.2#v0",
    heldOut: false,
    feedback: null,
    iteration: parent === null ? null : 0,
    best: false,
    comparable: true,
    evaluator: "e1",
    ...change,
  };
}
