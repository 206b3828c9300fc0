import { expect, test } from "vitest";
import { treeText } from "../../../src/cli/tree-text.ts";
import { metricNames } from "../../../src/client/words/metric.ts";
import { makeStyle } from "../../../src/client/words/style.ts";
import type { ListedNode } from "../../../src/protocol/results.ts";
import { node, status } from "./sample.ts";

const options = { style: makeStyle(false), metrics: metricNames(status.tasks), all: false };

const child = (id: string, parent: string, depth: number, change: Partial<ListedNode> = {}): ListedNode =>
  node(id, { parent, depth, goal: "improve", ...change });

const failed = { verdict: "crash", score: null, quality: 0 } as const;

const nodes: ListedNode[] = [
  node("n1"),
  child("n2", "n1", 1, { score: 0.93 }),
  child("n3", "n1", 1, failed),
  child("n4", "n1", 1, { ...failed, verdict: "timeout" }),
  child("n5", "n1", 1, failed),
  child("n6", "n2", 2, { score: 0.97, best: true, goal: "diverge" }),
  ...[0.91, 0.92, 0.93, 0.94, 0.95, 0.96].map((score, i) => child(`n${7 + i}`, "n2", 2, { score })),
  child("n13", "n2", 2, { verdict: "infra", score: null, quality: null }),
  child("n14", "n3", 2, { score: 0.9, goal: "debug" }),
];

test("leaves that lead nowhere are counted", () => {
  expect(treeText(nodes, options).join("\n")).toMatchInlineSnapshot(`
    "digits  14 nodes, depth 2, root 0.9, best accuracy 0.97
    n1 root  accuracy 0.9
    ├─ n2 improve  accuracy 0.93
    │  ├─ n6 diverge  accuracy 0.97 ★ best
    │  ├─ n9 improve  accuracy 0.93
    │  ├─ n10 improve  accuracy 0.94
    │  ├─ n11 improve  accuracy 0.95
    │  ├─ n12 improve  accuracy 0.96
    │  ├─ 2 more scored, up to 0.92
    │  └─ 1 without a score: 1 infra
    ├─ n3 improve  crash
    │  └─ n14 debug  accuracy 0.9
    └─ 2 failed: 1 timeout, 1 crash"
  `);
});

test("every node is shown on request", () => {
  const text = treeText(nodes, { ...options, all: true }).join("\n");
  for (const { id } of nodes) expect(text).toMatch(new RegExp(`\\b${id} `));
});

test("nodes of an evaluator that is no longer the task's are marked, and compared with nothing", () => {
  const old = { comparable: false, evaluator: "e0" };
  const text = treeText(
    [
      node("n1", old),
      child("n2", "n1", 1, { ...old, score: 0.93 }),
      node("n3", { score: 0.4 }),
      child("n4", "n3", 1, { score: 0.5, best: true }),
    ],
    options,
  ).join("\n");
  expect(text).toMatchInlineSnapshot(`
    "digits  4 nodes, depth 1, root 0.9
    n1 root  accuracy 0.9 not comparable
    └─ n2 improve  accuracy 0.93 not comparable

    digits  4 nodes, depth 1, root 0.4, best accuracy 0.5
    n3 root  accuracy 0.4
    └─ n4 improve  accuracy 0.5 ★ best"
  `);
});

test("each task has a tree of its own", () => {
  const text = treeText([node("n1"), node("n2", { task: "tabular" })], options).join("\n");
  expect(text).toMatchInlineSnapshot(`
    "digits  1 node, depth 0, root 0.9
    n1 root  accuracy 0.9

    tabular  1 node, depth 0, root 0.9
    n2 root  score 0.9"
  `);
});

test("a chain deeper than the call stack of a naive walk is drawn", () => {
  const chain = Array.from({ length: 3_000 }, (_, i) =>
    i === 0 ? node("n0") : child(`n${i}`, `n${i - 1}`, i),
  );
  expect(treeText(chain, options)).toHaveLength(3_001);
});
