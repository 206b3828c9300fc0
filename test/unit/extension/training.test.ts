/** The Training tree as the sidebar shows it, without an editor. */
import { describe, expect, it } from "vitest";
import { followTuning, newTuningBoard } from "../../../src/client/tuning-board.ts";
import {
  childEntries,
  type Entry,
  messageAbove,
  rowOf,
  type View,
} from "../../../src/extension/training/entry.ts";
import { liveWords, titleOf } from "../../../src/extension/training/tuning-words.ts";
import type { RunEvent } from "../../../src/protocol/events.ts";
import { type Bootstrap, defaultGate, defaultTraining, type Round } from "../../../src/protocol/results.ts";
import { opened } from "../cli/sample.ts";
import { gate, training, tuned } from "./sample.ts";

const viewOf = (change: Partial<View> = {}): View => ({
  training: training(),
  board: null,
  exports: [],
  ...change,
});

const labels = (view: View, parent: Entry | null): (string | undefined)[] =>
  childEntries(view, parent).map((entry) => rowOf(view, entry)?.label);
const model = (view: View, id: string) => rowOf(view, { kind: "model", id });
const models: Entry = { kind: "section", id: "Models" };

const update = (facts: object): RunEvent => ({
  type: "trainer",
  model: "m2",
  event: { event: "update", text: "update 5 of 16: loss -0.0123", ...facts },
});
const numbers = { update: 5, updates: 16, loss: -0.01234, kl: 0.0004, tokens_per_second: 1812.4 };

const round = (number: number, change: Partial<Round>): Round => ({
  ...{ number, step: "done", startedAt: "", endedAt: null, run: "r1", informative: 48 },
  ...{ model: `m${number}`, gate: null, promoted: false },
  ...change,
});
const bootstrap: Bootstrap = {
  id: "b1",
  settings: {
    ...{ hours: 8, rounds: null, groups: 48, collectHours: null, search: {} },
    ...{ ...defaultGate, allowMissing: [], training: defaultTraining },
  },
  model: { runtime: null, model: null, endpoint: null },
  ...{ startedAt: "", endedAt: null, ended: null, interruption: null, spentMs: 0 },
  rounds: [round(1, { promoted: true }), round(2, { step: "gate" })],
};

describe("the tree", () => {
  it("has no rows while there is nothing, so that the welcome text is seen", () => {
    expect(childEntries(viewOf(), null)).toEqual([]);
    expect(childEntries(viewOf({ training: null }), null)).toEqual([]);
  });

  it("shows what there is of rounds, models, gates and exports, the newest first", () => {
    const view = viewOf({
      training: training({ models: [tuned("m1"), tuned("m2")], gates: [gate("g1", "m1")] }),
      exports: ["20261121-080000", "20261120-080000"],
    });
    expect(labels(view, null)).toEqual(["Models", "Gates", "Exports"]);
    expect(labels(view, models)).toEqual(["m2", "m1"]);
    expect(labels(view, { kind: "section", id: "Exports" })).toEqual(["20261121-080000", "20261120-080000"]);
  });

  it("shows the work under way first, and can be asked to stop it", () => {
    const board = newTuningBoard("fine-tune");
    const view = viewOf({ training: training({ models: [tuned("m1")] }), board });
    expect(labels(view, null)).toEqual(["Fine-tune", "Models"]);
    expect(rowOf(view, { kind: "job" })).toMatchObject({
      description: "getting ready",
      flags: "job",
      icon: { name: "loading~spin" },
    });
  });

  it("names the next step above rows that do not, and nothing where the welcome text does", () => {
    const exported = viewOf({ exports: ["20261121-080000"] });
    expect(messageAbove(viewOf(), null)).toBe("");
    expect(messageAbove(viewOf(), "The runner ended.")).toBe("");
    expect(messageAbove(exported, null)).toContain("Fine-Tune Local Model");
    expect(messageAbove(exported, "The runner ended.")).toBe("The runner ended.");
    expect(messageAbove({ ...exported, board: newTuningBoard("rounds") }, null)).toBe("");
    expect(messageAbove({ ...exported, training: training({ models: [tuned("m1")] }) }, null)).toBe("");
    const cutOff = training({ bootstraps: [bootstrap] });
    expect(messageAbove(viewOf({ training: cutOff }), null)).toBe("");
  });

  it("keeps the row of a gate below its model apart from the one below Gates", () => {
    const view = viewOf({ training: training({ models: [tuned("m1")], gates: [gate("g1", "m1")] }) });
    const below = childEntries(view, { kind: "model", id: "m1" }).at(-1);
    if (below === undefined) throw new Error("the model has no rows");
    const ids = [below, { kind: "gate", id: "g1", below: "section" } as const].map(
      (entry) => rowOf(view, entry)?.id,
    );
    expect(ids).toEqual(["m1/g1", "g1"]);
  });
});

describe("a tuned model", () => {
  const line = tuned("m1").base.line;
  const inForce = [{ line, base: "smollm2:135m", version: 2, model: "m2" }];
  const failed = tuned("m3", { failed: "The tokenizers differ.", made: "exported", training: null });
  const view = viewOf({
    training: training({
      models: [tuned("m1"), tuned("m2"), failed],
      gates: [gate("g1", "m1", { decision: "reject" })],
      inForce,
    }),
  });

  it("says what it is worth now, in words, icon and spoken text", () => {
    expect(model(view, "m1")).toMatchObject({
      description: "worse · smollm2:135m",
      spoken: "Tuned model m1, worse, from smollm2:135m",
      icon: { name: "arrow-down" },
    });
    expect(model(view, "m2")).toMatchObject({
      description: "in force as v2 · smollm2:135m",
      icon: { name: "star-full" },
    });
    expect(model(view, "m3")).toMatchObject({
      description: "failed · smollm2:135m",
      icon: { name: "error" },
    });
  });

  it("offers only what can be done with it", () => {
    expect(model(view, "m1")?.flags).toBe("model folder details metrics gate promote");
    expect(model(view, "m2")?.flags).toBe("model folder details metrics rollback");
    expect(model(view, "m3")?.flags).toBe("model folder details");
  });

  it("tells its making, one fact a row, and its gates below", () => {
    expect(labels(view, { kind: "model", id: "m1" })).toEqual([
      "trained from",
      "learned from",
      "training",
      "merged",
      "fingerprint",
      "served as",
      "gate g1",
    ]);
  });

  it("is being made while the trainer tells of it", () => {
    const board = newTuningBoard("fine-tune");
    followTuning(board, update(numbers));
    const half = tuned("m2", { made: "exported", training: null });
    const live = viewOf({ training: training({ models: [half] }), board });
    expect(model(live, "m2")?.description).toBe("being made · smollm2:135m");
    expect(model({ ...live, training: training({ models: [tuned("m2")] }) }, "m2")?.description).toBe(
      "not gated yet · smollm2:135m",
    );
    expect(model({ ...live, board: null }, "m2")?.description).toBe("begun, exported · smollm2:135m");
  });
});

describe("work under way", () => {
  it("shows the numbers of the last update, and after the training what it is at", () => {
    const board = newTuningBoard("fine-tune");
    followTuning(board, update(numbers));
    expect(board.model).toBe("m2");
    expect(liveWords(board)).toBe("update 5 of 16 · loss -0.0123 · KL 0.0004 · 1,812 tokens/s");
    followTuning(board, { type: "progress", text: "Asking the tuned model" });
    expect(liveWords(board)).toBe("Asking the tuned model");
  });

  it("shows the iteration of a round that searches, and no model of the round before", () => {
    const board = newTuningBoard("rounds");
    followTuning(board, update(numbers));
    followTuning(board, opened);
    expect(titleOf(board)).toBe("Bootstrap");
    expect(liveWords(board)).toBe("iteration 1");
  });

  it("shows the sentence where a trainer of another version tells its numbers otherwise", () => {
    const board = newTuningBoard("fine-tune");
    followTuning(board, update({ update: 5 }));
    expect(liveWords(board)).toBe("update 5 of 16: loss -0.0123");
  });
});

describe("a bootstrap", () => {
  const view = viewOf({ training: training({ bootstraps: [bootstrap] }) });
  const row = (of: View) => rowOf(of, { kind: "bootstrap", id: "b1" });

  it("that was cut off says which command goes on with it", () => {
    expect(row(view)?.description).toBe("2 rounds · 1 promoted · interrupted: Bootstrap goes on with it");
    expect(row({ ...view, board: newTuningBoard("rounds") })?.description).toContain("under way");
  });

  it("tells of each round its step, what it found and what came of it", () => {
    const rows = childEntries(view, { kind: "bootstrap", id: "b1" }).map((entry) => rowOf(view, entry));
    expect(rows.map((one) => `${one?.label}: ${one?.description}`)).toEqual([
      "round 1: promoted m1, 48 informative iterations",
      "round 2: proving, 48 informative iterations",
    ]);
  });
});

it("names of models cannot pass for Markdown", () => {
  const base = { ...tuned("m1").base, model: "my_*model*_" };
  const view = viewOf({ training: training({ models: [tuned("m1", { base })] }) });
  expect(model(view, "m1")?.tooltip).toContain("my\\_\\*model\\*\\_");
});
