import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import type { Confirmation } from "../../../src/core/confirmation.ts";
import type { StepOutcome } from "../../../src/core/evaluate/cell.ts";
import type { Group } from "../../../src/core/history.ts";
import type { Store } from "../../../src/core/ports.ts";
import { memoryPolicyInfo } from "../../support/memory-world.ts";
import {
  child,
  closing,
  entry,
  evaluationCell,
  evaluationStep,
  opening,
  outcome,
  prompt,
  reply,
  root,
  run,
  sampling,
  score,
  stepOutcome,
  unread,
} from "./samples.ts";

let folder = "";
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-store-"));
  store = openStore(join(folder, "history.db"));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function reopen(): void {
  store.close();
  store = openStore(join(folder, "history.db"));
}

/** One run, one root, one group with two members that came back and one that did not. */
function storeOneGroup(): void {
  store.openRun(run());
  store.addRoot(root());
  store.openGroup(opening(0), prompt, sampling);
  store.addReply("r1i0", reply(0));
  store.addReply("r1i0", reply(1));
  store.addOutcome("r1i0", 0, outcome(0));
  store.addOutcome("r1i0", 1, unread);
}

/** Everything the store can tell. */
function everything(): unknown {
  const groups = store.groupIds().map((id) => store.group(id));
  return {
    runs: store.runs(),
    nodes: store.nodes(),
    groups,
    closed: store.closedGroups(),
    open: store.runs().map(({ id }) => store.openGroups(id)),
    evidence: groups.flatMap((group) =>
      (group?.replies ?? []).map(({ index }) => store.evidence(group?.id ?? "", index)),
    ),
    buffer: store.buffer(),
    score: store.score("k"),
    applied: store.applied(),
    journal: store.journal.steps("t1"),
    audits: [store.auditPassed("digits", "d1"), store.auditPassed("digits", "d2")],
  };
}

test("a new history is empty", () => {
  expect(store.runs()).toEqual([]);
  expect(store.nodes()).toEqual([]);
  expect(store.closedGroups()).toEqual([]);
  expect(store.groupIds()).toEqual([]);
  expect(store.openGroups("r1")).toEqual([]);
  expect(store.group("r1i0")).toBeNull();
  expect(store.evidence("r1i0", 0)).toBeNull();
  expect(store.buffer()).toEqual([]);
  expect(store.score("k")).toBeNull();
  expect(store.applied()).toBeNull();
  expect(store.auditPassed("digits", "d1")).toBe(false);
});

test("runs come back in the order they were opened, with what was changed since", () => {
  store.openRun(run("z"));
  store.openRun(run("a"));
  const spent = { iterations: 3, ms: 4.5, tokens: 6, modelMs: 4, sandboxMs: 2.5, scored: 2, reused: 1 };
  store.updateRun("z", { spent });
  store.updateRun("a", { spent, endedAt: "2030-01-02T04:00:00.000Z", endedBy: "iterations" });
  reopen();
  expect(store.runs()).toEqual([
    { ...run("z"), spent },
    { ...run("a"), spent, endedAt: "2030-01-02T04:00:00.000Z", endedBy: "iterations" },
  ]);
  store.updateRun("a", { spent, endedAt: null, endedBy: null });
  expect(store.runs()[1]?.endedBy).toBeNull();
  expect(() => store.updateRun("b", { spent })).toThrow("run b");
});

test("roots come into force one after the other, each after the groups that were closed by then", () => {
  storeOneGroup();
  store.addRoot(root());
  store.closeGroup(closing(0, 1, [child("n2", "r1i0")]));
  const later = { ...root("n3"), evaluator: "e2" };
  store.addRoot(later);
  store.addRoot(later);
  store.addRoot(root());
  store.addRoot({ ...root("n4"), task: "other" });
  reopen();
  expect(store.rootsInForce()).toEqual([
    { seq: 1, task: "digits", node: "n1", after: 0 },
    { seq: 2, task: "digits", node: "n3", after: 1 },
    { seq: 3, task: "digits", node: "n1", after: 1 },
    { seq: 4, task: "other", node: "n4", after: 1 },
  ]);
  expect(store.nodes().map(({ id }) => id)).toEqual(["n1", "n2", "n3", "n4"]);
});

test("a task's entries leave the buffer when its evaluator changes, not when only its root does", () => {
  storeOneGroup();
  store.closeGroup(closing(0, 1, [child("n2", "r1i0")]));
  store.addRoot(root("n3", "tree-other"));
  expect(store.buffer()).toHaveLength(2);
  store.addRoot({ ...root("n4"), task: "other", evaluator: "e2" });
  expect(store.buffer()).toHaveLength(2);
  store.addRoot({ ...root("n5"), evaluator: "e2" });
  expect(store.buffer()).toEqual([]);
});

test("a revision the evaluator failed on keeps that verdict until it is scored again", () => {
  storeOneGroup();
  store.addReply("r1i0", reply(2));
  const failed = { ...outcome(2), verdict: "eval_error", score: null, quality: null } as const;
  store.addOutcome("r1i0", 2, failed);
  expect(store.group("r1i0")?.replies[2]).toMatchObject({ verdict: "eval_error", quality: null });
  store.addOutcome("r1i0", 2, outcome(2));
  store.addOutcome("r1i0", 2, failed);
  const { evidence, ...known } = outcome(2);
  expect(store.group("r1i0")?.replies[2]).toMatchObject(known);
  expect(store.evidence("r1i0", 2)).toEqual(evidence);
});

test("an open group comes back whole with what its members have so far", () => {
  store.openRun(run());
  store.addRoot(root());
  store.openGroup(opening(1), prompt, sampling);
  store.openGroup(opening(0), prompt, { maxTokens: 16, schema: null });
  store.addReply("r1i1", reply(1));
  store.addReply("r1i1", { ...reply(0), tokens: null, logprobs: null, finish: "length" });
  store.addOutcome("r1i1", 1, outcome(1));
  reopen();

  const closingFields = { node: null, reward: null, advantage: null, diversity: null, distance: null };
  const { evidence, ...known } = outcome(1);
  const expected: Group = {
    ...opening(1),
    prompt,
    state: "open",
    closedSeq: null,
    learnability: null,
    informative: null,
    replies: [
      {
        ...reply(0),
        tokens: null,
        logprobs: null,
        finish: "length",
        answer: null,
        edit: null,
        snapshot: null,
        verdict: null,
        score: null,
        quality: null,
        qualitySE: null,
        feedback: null,
        ...closingFields,
      },
      { ...reply(1), ...known, ...closingFields },
    ],
  };
  expect(store.openGroups("r1").map(({ group }) => group.iteration)).toEqual([0, 1]);
  expect(store.openGroups("r1")[1]).toEqual({ group: expected, sampling });
  expect(store.openGroups("r1")[0]?.sampling).toEqual({ maxTokens: 16, schema: null });
  expect(store.openGroups("r2")).toEqual([]);
  expect(store.group("r1i1")).toEqual(expected);
  expect(store.groupIds()).toEqual(["r1i1", "r1i0"]);
  expect(store.closedGroups()).toEqual([]);
  expect(store.evidence("r1i1", 1)).toEqual(evidence);
  expect(store.evidence("r1i1", 0)).toBeNull();
});

test("closing a group stores nodes, rewards, buffer and spending together", () => {
  storeOneGroup();
  const closed = closing(0, 1, [child("n2", "r1i0")]);
  store.closeGroup(closed);
  reopen();
  expect(store.nodes()).toEqual([root(), child("n2", "r1i0")]);
  expect(store.buffer()).toEqual([entry("n2", 0.02), entry("n1", 1 / 7)]);
  expect(store.runs()[0]?.spent).toEqual(closed.spent);
  expect(store.openGroups("r1")).toEqual([]);
  expect(store.closedGroups()).toEqual([
    {
      ...opening(0),
      state: "closed",
      closedSeq: 1,
      learnability: 0.02,
      informative: true,
      children: [
        { index: 0, node: "n2", quality: 0.9 },
        { index: 1, node: null, quality: 0 },
      ],
      closingDraws: { insert: 0.75 },
      embedding: { model: "minilm", digest: "d1" },
      bufferChanges: { left: ["n7"], set: [entry("n1", 1 / 7)] },
    },
  ]);
  const group = store.group("r1i0");
  expect(group).toMatchObject({ state: "closed", closedSeq: 1, learnability: 0.02, informative: true });
  expect(group?.replies[0]).toMatchObject({ node: "n2", reward: 0.5, advantage: 1.25, diversity: 0.5 });
  expect(group?.replies.map(({ distance }) => distance)).toEqual([1 / 3, null]);
  expect(group?.replies[1]).toMatchObject({ node: null, reward: null, advantage: null, diversity: null });
});

test("closed groups come in the order of their closing, lost ones too", () => {
  store.openRun(run());
  store.addRoot(root());
  for (const [group, closedSeq, state] of [
    [opening(1), 3, "closed"],
    [opening(0), 1, "infra"],
    [opening(0, "r1", 1), 2, "closed"],
  ] as const) {
    store.openGroup(group, prompt, sampling);
    store.closeGroup({
      ...closing(group.iteration, closedSeq, []),
      group: group.id,
      state,
      learnability: null,
      informative: false,
      replies: [],
      buffer: [],
    });
  }
  expect(store.closedGroups().map(({ id, state, children }) => [id, state, children])).toEqual([
    ["r1i0", "infra", []],
    ["r1i0b", "closed", []],
    ["r1i1", "closed", []],
  ]);
  expect(store.closedGroups()[0]).toMatchObject({ learnability: null, informative: false });
});

test("every step may be repeated: nothing is doubled, the first record stays", () => {
  const steps: (() => void)[] = [
    () => store.openRun(run()),
    () => store.addRoot(root()),
    () => store.openGroup(opening(0), prompt, sampling),
    () => store.addReply("r1i0", reply(0)),
    () => store.addReply("r1i0", reply(1)),
    () => store.addOutcome("r1i0", 0, outcome(0)),
    () => store.addOutcome("r1i0", 1, unread),
    () => store.closeGroup(closing(0, 1, [child("n2", "r1i0")])),
    () => store.putScore(score("k")),
    () => store.setApplied({ node: "n2", task: "digits", at: "2030-01-01", before: "b", after: "a" }),
    () => store.setAuditPassed("digits", "d1"),
    () => store.putSelfTest("engine", { at: "2030-01-01", image: "d", digest: "t", guarantees: [] }),
    () => store.journal.record("t1", "created", { id: "c1" }),
  ];
  for (const step of steps) step();
  const once = everything();
  for (const step of steps) step();
  for (const step of [...steps].reverse()) step();
  store.addReply("r1i0", { ...reply(0), text: "another" });
  store.addOutcome("r1i0", 0, unread);
  store.putScore({ ...score("k"), score: 0 });
  expect(everything()).toEqual(once);
  reopen();
  expect(everything()).toEqual(once);
});

test("what contradicts the record is refused, and leaves nothing behind", () => {
  storeOneGroup();
  const before = everything();
  const closed = closing(0, 1, [child("n2", "r1i0")]);
  const twin = { ...child("n3", "r1i0"), snapshot: "tree-n2" };
  expect(() => store.closeGroup({ ...closed, nodes: [child("n2", "r1i0"), twin] })).toThrow("UNIQUE");
  const stranger = { index: 7, node: null, reward: null, advantage: null, diversity: null, distance: null };
  expect(() => store.closeGroup({ ...closed, replies: [...closed.replies, stranger] })).toThrow("reply 7");
  expect(() => store.closeGroup({ ...closed, group: "r9i9" })).toThrow("r9i9");
  expect(() => store.addRoot({ ...root("n9"), snapshot: "tree-root" })).toThrow("UNIQUE");
  expect(() => store.openGroup({ ...opening(0), id: "x" }, prompt, sampling)).toThrow("UNIQUE");
  expect(() => store.addReply("r9i9", reply(0))).toThrow("FOREIGN KEY");
  expect(() => store.addOutcome("r1i0", 2, outcome(2))).toThrow("FOREIGN KEY");
  expect(everything()).toEqual(before);

  store.closeGroup(closed);
  const after = everything();
  expect(() => store.closeGroup({ ...closed, closedSeq: 2 })).toThrow("closed already");
  store.openGroup(opening(1), prompt, sampling);
  store.addReply("r1i1", reply(0));
  store.addReply("r1i1", reply(1));
  expect(() => store.closeGroup({ ...closing(1, 1, []), buffer: [] })).toThrow("UNIQUE");
  expect(store.closedGroups()).toHaveLength(1);
  expect(store.buffer()).toEqual((after as { buffer: unknown }).buffer);
});

test("roots of a bare request have no snapshot: one per task", () => {
  store.addRoot(root("n1", null));
  store.addRoot({ ...root("n2", null), task: "other" });
  expect(() => store.addRoot(root("n3", null))).toThrow("UNIQUE");
  expect(store.nodes().map(({ id }) => id)).toEqual(["n1", "n2"]);
});

test("scores, audits, the applied revision and trial steps come back", () => {
  store.addRoot(root());
  store.putScore(score("k"));
  store.setAuditPassed("digits", "d1");
  const applied = { node: "n1", task: "digits", at: "2030-01-01T00:00:00Z", before: "b", after: "a" };
  store.setApplied({ ...applied, after: "c" });
  store.setApplied(applied);
  store.journal.record("t1", "intent", {});
  store.journal.record("t1", "created", { id: "c1" });
  store.journal.record("t2", "intent", {});
  store.journal.record("t1", "intent", { again: true });
  reopen();
  expect(store.score("k")).toEqual(score("k"));
  expect(store.auditPassed("digits", "d1")).toBe(true);
  expect(store.auditPassed("digits", "d2")).toBe(false);
  expect(store.applied()).toEqual(applied);
  store.setApplied(null);
  expect(store.applied()).toBeNull();
  expect(store.journal.steps("t1")).toEqual([
    { step: "created", data: { id: "c1" } },
    { step: "intent", data: { again: true } },
  ]);
});

test("the newest self-test of an engine and image comes back, and what a run was allowed", () => {
  const found = { at: "2030-01-01", image: "d", digest: "t1", guarantees: [] };
  const held = { guarantee: "pids-limit", held: null, measured: "no sleep" } as const;
  store.putSelfTest("engine", found);
  store.putSelfTest("engine", { ...found, digest: "t2", guarantees: [held] });
  store.openRun(run());
  const sandbox = {
    ...{ engine: "e", version: "1", boundary: "runc", image: "i", imageDigest: "d", warnings: [] },
  };
  const provenance = {
    policy: memoryPolicyInfo,
    sandbox,
    selfTests: [found],
    allowedMissing: ["pids-limit"],
  } as const;
  store.updateRun("r1", { spent: run().spent, provenance });
  reopen();
  expect(store.selfTest("engine")).toEqual({ ...found, digest: "t2", guarantees: [held] });
  expect(store.selfTest("another")).toBeNull();
  expect(store.runs()[0]?.provenance).toEqual(provenance);
});

test("the newest confirmation of a task comes back", () => {
  const made = (task: string, winner: string | null): Confirmation => ({
    ...{
      task,
      at: "2026-01-01T00:00:00Z",
      evaluator: "e",
      range: { worst: 0, best: 1 },
      winner,
      holdout: null,
    },
    root: { node: "n1", trials: [{ seed: 1000, verdict: "crash", score: null, quality: 0 }] },
    ...{ candidates: [], comparisons: [] },
  });
  expect(store.confirmation("digits")).toBeNull();
  for (const confirmation of [made("digits", "n2"), made("other", null), made("digits", "n3")])
    store.putConfirmation(confirmation);
  expect(store.confirmation("digits")).toEqual(made("digits", "n3"));
});

test("a history of 50,000 nodes is listed whole and in order", () => {
  store.openRun(run());
  store.addRoot(root());
  for (let iteration = 0; iteration < 50; iteration++) {
    store.openGroup(opening(iteration), prompt, sampling);
    store.addReply(opening(iteration).id, reply(0));
    store.addReply(opening(iteration).id, reply(1));
    const nodes = Array.from({ length: 1000 }, (_, place) =>
      child(`n${2 + iteration * 1000 + place}`, opening(iteration).id),
    );
    store.closeGroup(closing(iteration, iteration + 1, nodes));
  }
  const nodes = store.nodes();
  expect(nodes).toHaveLength(50_001);
  expect(nodes.every((node, place) => node.id === `n${place + 1}`)).toBe(true);
  expect(store.closedGroups().map(({ iteration }) => iteration)).toEqual([...Array(50).keys()]);
});

test("an evaluation keeps every step, with and without its outcome, once each", () => {
  const cell = { ...evaluationCell(), sampling: { maxTokens: 64, schema: { type: "object" } } };
  const { evaluations } = store;
  evaluations.openCell(cell);
  evaluations.openCell(cell);
  const second = {
    ...evaluationStep(),
    chain: 0,
    k: 2,
    attempt: 1 as const,
    tokens: null,
    constrained: null,
  };
  evaluations.addReply(cell.id, second);
  evaluations.addReply(cell.id, evaluationStep());
  evaluations.addReply(cell.id, { ...evaluationStep(), text: "another" });
  evaluations.addOutcome(cell.id, evaluationStep(), stepOutcome);
  evaluations.addOutcome(cell.id, evaluationStep(), { ...stepOutcome, verdict: "crash" });
  reopen();
  expect(store.evaluations.steps(cell.id)).toEqual([{ ...evaluationStep(), outcome: stepOutcome }, second]);
  expect(store.evaluations.steps("other")).toEqual([]);
  expect(store.evaluations.snapshots()).toEqual(["tree-made", "tree-root"]);
});

test("an outcome without snapshot, score and quality comes back as it was", () => {
  const cell = evaluationCell();
  store.evaluations.openCell(cell);
  store.evaluations.addReply(cell.id, evaluationStep());
  const none = { snapshot: null, score: null, quality: null, qualitySE: null, feedback: null, cached: null };
  const lost: StepOutcome = { ...stepOutcome, ...none, verdict: "infra" };
  store.evaluations.addOutcome(cell.id, evaluationStep(), lost);
  expect(store.evaluations.steps(cell.id)[0]?.outcome).toEqual(lost);
});

test("a step of a cell that was never opened is refused", () => {
  expect(() => store.evaluations.addReply("nowhere", evaluationStep())).toThrow();
});

test("the buffer may hold a bare request, which has no snapshot", () => {
  storeOneGroup();
  const request = { ...entry("n1", 0.1), snapshot: null };
  store.closeGroup({ ...closing(0, 1, [child("n2", "r1i0")]), buffer: [request] });
  reopen();
  expect(store.buffer()).toEqual([request]);
});
