/** The history tree as the sidebar shows it, without an editor. */
import { describe, expect, it } from "vitest";
import { adopt, newBoard } from "../../../src/client/board.ts";
import { metricNames } from "../../../src/client/words/metric.ts";
import {
  childEntries,
  pageSize,
  parentEntry,
  rowOf,
  type View,
} from "../../../src/extension/history/entry.ts";
import { HistoryIndex } from "../../../src/extension/history/history-index.ts";
import type { Group, ListedNode, Run } from "../../../src/protocol/results.ts";
import { node } from "./sample.ts";

function viewOf(nodes: readonly ListedNode[], change: Partial<View> = {}): View {
  const history = new HistoryIndex();
  history.reset(nodes);
  return {
    history,
    board: null,
    metrics: metricNames([]),
    selfReported: new Set(),
    applied: null,
    shown: new Map(),
    ...change,
  };
}

const row = (view: View, id: string) => rowOf(view, { kind: "node", id });
const ids = (view: View, parent: string | null) =>
  childEntries(view, parent === null ? null : { kind: "node", id: parent }).map((entry) => entry.id);

describe("rows", () => {
  const root = node("n1", null);
  const better = node("n2", "n1", { score: 0.9, quality: 0.9, best: true });
  const worse = node("n3", "n1", { score: 0.2, quality: 0.2, goal: "diverge" });
  const same = node("n4", "n1", { snapshot: root.snapshot });
  const crashed = node("n5", "n1", { verdict: "crash", score: null, quality: 0 });
  const late = node("n6", "n1", { verdict: "timeout", score: null, quality: 0 });
  const refused = node("n7", "n1", { verdict: "invalid", score: null, quality: 0, snapshot: null });
  const view = viewOf([root, better, worse, same, crashed, late, refused]);

  it("a root stands for its task, with its own score and the best", () => {
    expect(row(view, "n1")).toMatchObject({
      label: "digits",
      description: "0.5 → best 0.9",
      open: "expanded",
    });
  });

  it("what another evaluator scored is marked, and the best is not held against it", () => {
    const old = { comparable: false, evaluator: "e0" };
    const both = viewOf([
      node("n1", null, old),
      node("n2", "n1", { ...old, score: 0.4, quality: 0.4 }),
      node("n3", null),
      node("n4", "n3", { score: 0.9, quality: 0.9, best: true }),
    ]);
    expect(row(both, "n1")?.description).toBe("0.5 · not comparable");
    expect(row(both, "n2")).toMatchObject({ description: "improve · worse · not comparable · n2" });
    expect(row(both, "n2")?.spoken).toContain("not comparable");
    expect(row(both, "n3")?.description).not.toContain("not comparable");
  });

  it("two roots of one task are told apart", () => {
    const two = viewOf([root, node("n9", null)]);
    expect(row(two, "n1")?.label).toBe("digits (n1)");
  });

  it("the best is marked in its icon, its words and its spoken text", () => {
    expect(row(view, "n2")).toMatchObject({
      label: "0.9",
      description: "★ best · improve · better · n2",
      icon: { name: "star-full" },
      spoken: "Revision n2, scored, 0.9, best, improve, better",
    });
  });

  it("goal and standing are words, not colours alone", () => {
    expect(row(view, "n3")?.description).toBe("diverge · worse · n3");
    expect(row(view, "n4")?.description).toBe("improve · unchanged · n4");
  });

  it("a failed revision says how it failed, each kind of failure in its own words and icon", () => {
    expect(row(view, "n5")).toMatchObject({ label: "crash", icon: { name: "error", colour: "charts.red" } });
    expect(row(view, "n6")?.label).toBe("time limit");
    expect(row(view, "n7")).toMatchObject({ label: "invalid", icon: { name: "circle-slash" } });
  });

  it("what has no files offers no diff and cannot be applied", () => {
    expect(row(view, "n7")?.flags).toBe("prompt");
    expect(row(view, "n2")?.flags).toBe("diff prompt apply");
  });

  it("an applied revision and a self-reported score are said", () => {
    const told = viewOf([root, better], { applied: "n2", selfReported: new Set(["digits"]) });
    expect(row(told, "n2")?.description).toContain("applied");
    expect(row(told, "n1")?.description).toContain("self-reported");
  });

  it("what is gone has no row", () => {
    expect(row(view, "n99")).toBeNull();
  });
});

describe("the tree", () => {
  it("opens the way to the best and to the applied revision, and nothing else", () => {
    const view = viewOf(
      [
        node("n1", null),
        node("n2", "n1"),
        node("n3", "n1"),
        node("n4", "n1"),
        node("n5", "n2", { quality: 0.9, best: true }),
        node("n6", "n3"),
        node("n7", "n4"),
      ],
      { applied: "n7" },
    );
    expect(["n2", "n3", "n4"].map((id) => row(view, id)?.open)).toEqual([
      "expanded",
      "collapsed",
      "expanded",
    ]);
  });

  it("shows a page of many children and a row that brings more", () => {
    const children = Array.from({ length: 250 }, (_, i) => node(`c${i}`, "n1"));
    const view = viewOf([node("n1", null), ...children]);
    expect(ids(view, "n1")).toHaveLength(pageSize + 1);
    expect(rowOf(view, { kind: "more", id: "more:n1", parent: "n1" })?.label).toBe("150 more revisions");
    const all = { ...view, shown: new Map([["n1", 300]]) };
    expect(ids(all, "n1")).toHaveLength(250);
  });

  it("takes in the nodes of a closed group once, and moves the best mark", () => {
    const view = viewOf([node("n1", null), node("n2", "n1", { quality: 0.6, best: true })]);
    const made = node("n3", "n1", { quality: 0.8 });
    view.history.add([made], 4, made);
    view.history.add([made], 4, made);
    expect(ids(view, "n1")).toEqual(["n2", "n3"]);
    expect(view.history.get("n3")?.iteration).toBe(4);
    expect(row(view, "n3")?.description).toContain("★ best");
    expect(row(view, "n2")?.description).not.toContain("★ best");
  });

  it("shows an iteration under way above the trees, with its start and how far it is", () => {
    const view = viewOf([node("n1", null)]);
    const board = newBoard(
      { tasks: ["digits"], spent: { iterations: 0, ms: 0, tokens: 0 } } as unknown as Run,
      [],
    );
    const replies = [
      { index: 0, tokens: [], verdict: "scored" },
      { index: 1, tokens: [], verdict: null },
    ];
    const group = { id: "g7", start: "n1", goal: "improve", iteration: 2, seeds: [1, 2, 3, 4], replies };
    adopt(board, group as unknown as Group, 0);
    const live = { ...view, board };
    expect(ids(live, null)).toEqual(["g7", "n1"]);
    expect(rowOf(live, { kind: "group", id: "g7" })).toMatchObject({
      id: "group:g7",
      label: "iteration 3: improve",
      description: "2 of 4 replies, 1 scored · from n1",
    });
    expect(parentEntry(live, { kind: "group", id: "g7" })).toBeNull();
  });

  it("answers at once for ten thousand nodes, whatever their shape", () => {
    const deep = Array.from({ length: 5_000 }, (_, i) => node(`d${i}`, i === 0 ? "n1" : `d${i - 1}`));
    const wide = Array.from({ length: 5_000 }, (_, i) => node(`w${i}`, "n1"));
    const best = node("best", "d4999", { quality: 1, best: true });
    const view = viewOf([node("n1", null), ...deep, ...wide, best]);
    expect(childEntries(view, { kind: "node", id: "n1" })).toHaveLength(pageSize + 1);
    expect(view.history.ancestors(best)).toHaveLength(5_001);
    expect(row(view, "d4999")?.open).toBe("expanded");
  });
});
