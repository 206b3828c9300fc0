import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Buffer,
  type BufferUpdate,
  type Candidate,
  defaultCapacity,
  drawStart,
  startWeights,
  updateBuffer,
} from "../../../src/core/buffer.ts";
import type { BufferEntry } from "../../../src/core/history.ts";

const settings = { insert: "one", paper: false, capacity: 4 } as const;
const never = (purpose: string): number => {
  throw new Error(`no draw was due, but ${purpose} was asked`);
};
const node = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  task: "t",
  node: id,
  snapshot: `snapshot-${id}`,
  failed: false,
  quality: 0.5,
  ...more,
});
const entry = (id: string, S: number, more: Partial<BufferEntry> = {}): BufferEntry => ({
  task: "t",
  node: id,
  snapshot: `snapshot-${id}`,
  failed: false,
  S,
  policy: "m#v0",
  timesDrawn: 0,
  dullGroups: 0,
  insertedAt: 1,
  ...more,
});
const update = (start: Candidate, S: number, more: Partial<BufferUpdate> = {}): BufferUpdate => ({
  start,
  fromBuffer: false,
  S,
  informative: true,
  policy: "m#v0",
  children: [],
  closedSeq: 9,
  ...more,
});
const ids = (buffer: Buffer): string[] => buffer.map((item) => item.node);

describe("buffer update", () => {
  it("gives the start the learnability just measured, inserting it if absent", () => {
    const first = updateBuffer([], update(node("a"), 0.2), settings, never);
    expect(first).toEqual([entry("a", 0.2, { insertedAt: 9 })]);
    const again = updateBuffer(first, update(node("a"), 0.05, { fromBuffer: true }), settings, never);
    expect(again).toEqual([entry("a", 0.05, { insertedAt: 9, timesDrawn: 1 })]);
  });

  it("lets one eligible child in with the same learnability, by a recorded draw", () => {
    const children = [node("b"), node("c"), node("d", { quality: 1 })];
    const asked: string[] = [];
    const next = updateBuffer([], update(node("a"), 0.2, { children }), settings, (purpose) => {
      asked.push(purpose);
      return 0.6;
    });
    expect(ids(next)).toEqual(["a", "c"]);
    expect(asked).toEqual(["insert"]);
  });

  it("lets each distinct snapshot in when all are asked for", () => {
    const children = [node("b"), node("b"), node("c")];
    const next = updateBuffer(
      [],
      update(node("a"), 0.2, { children }),
      { ...settings, insert: "all" },
      never,
    );
    expect(ids(next)).toEqual(["a", "b", "c"]);
  });

  it("lets one child in under the paper's rules, whatever was asked for", () => {
    const children = [node("b"), node("c")];
    const paper = { ...settings, insert: "all", paper: true } as const;
    expect(ids(updateBuffer([], update(node("a"), 0.2, { children }), paper, () => 0))).toEqual(["a", "b"]);
  });

  it("holds a bare request, which has neither snapshot nor quality, and its children", () => {
    const request = node("r", { snapshot: null, quality: null });
    const first = updateBuffer([], update(request, 0.2, { children: [node("a")] }), settings, never);
    expect(ids(first)).toEqual(["r", "a"]);
    const again = updateBuffer(first, update(request, 0.1, { fromBuffer: true }), settings, never);
    expect(again[0]).toEqual(entry("r", 0.1, { snapshot: null, insertedAt: 9, timesDrawn: 1 }));
  });

  it("keeps perfect nodes out, start or child", () => {
    const children = [node("b", { quality: 1 })];
    expect(updateBuffer([], update(node("a", { quality: 1 }), 0.2, { children }), settings, never)).toEqual(
      [],
    );
  });

  it("admits to a full buffer only with at least the minimum, evicting the oldest minimum", () => {
    const full = [
      entry("a", 0.1, { insertedAt: 3 }),
      entry("b", 0.1, { insertedAt: 2 }),
      entry("c", 0.3),
      entry("d", 0.4),
    ];
    expect(ids(updateBuffer(full, update(node("e"), 0.1), settings, never))).toEqual(["a", "c", "d", "e"]);
    expect(updateBuffer(full, update(node("e"), 0.09), settings, never)).toBe(full);
  });

  it("breaks a tie of equally old minima by a recorded draw", () => {
    const full = [entry("a", 0.1), entry("b", 0.1), entry("c", 0.3), entry("d", 0.4)];
    expect(ids(updateBuffer(full, update(node("e"), 0.2), settings, () => 0.7))).toEqual([
      "a",
      "c",
      "d",
      "e",
    ]);
  });

  it("holds failed nodes to a third: at the cap a failed one replaces the lowest failed one or stays out", () => {
    const six = { ...settings, capacity: 6 };
    const buffer = [entry("a", 0.3, { failed: true }), entry("b", 0.2, { failed: true }), entry("c", 0.01)];
    const failed = node("x", { failed: true, quality: 0 });
    expect(ids(updateBuffer(buffer, update(failed, 0.25), six, never))).toEqual(["a", "c", "x"]);
    expect(ids(updateBuffer(buffer, update(failed, 0.1), six, never))).toEqual(["a", "b", "c"]);
    expect(ids(updateBuffer(buffer, update(failed, 0.1), { ...six, paper: true }, never))).toEqual([
      "a",
      "b",
      "c",
      "x",
    ]);
  });

  it("drops an entry after its second uninformative group in a row, not after one", () => {
    const dull = { informative: false };
    const once = updateBuffer([entry("a", 0.2)], update(node("a"), 0, dull), settings, never);
    expect(once[0]?.dullGroups).toBe(1);
    expect(updateBuffer(once, update(node("a"), 0, dull), settings, never)).toEqual([]);
    const recovered = updateBuffer(once, update(node("a"), 0.1), settings, never);
    expect(recovered[0]?.dullGroups).toBe(0);
  });

  it("treats equal snapshots of a task as one entry, and equal snapshots of two tasks as two", () => {
    const twin = node("z", { snapshot: "snapshot-a" });
    const next = updateBuffer(
      [entry("a", 0.2)],
      update(node("b"), 0.3, { children: [twin] }),
      settings,
      never,
    );
    expect(ids(next)).toEqual(["a", "b"]);
    const other = node("z", { snapshot: "snapshot-a", task: "u" });
    const both = updateBuffer(
      [entry("a", 0.2)],
      update(node("b"), 0.3, { children: [other] }),
      settings,
      never,
    );
    expect(ids(both)).toEqual(["a", "b", "z"]);
  });

  it("never exceeds its capacity or its share of failed nodes, whatever happens", () => {
    const candidate = fc.record({
      id: fc.nat(20),
      failed: fc.boolean(),
      quality: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const step = fc.record({
      start: candidate,
      children: fc.array(candidate, { maxLength: 8 }),
      S: fc.constantFrom(0, 0.01, 0.1, 0.25),
      informative: fc.boolean(),
      insert: fc.constantFrom("one" as const, "all" as const),
      u: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let buffer: Buffer = [];
        for (const [index, { start, children, S, informative, insert, u }] of steps.entries()) {
          const make = ({ id, failed, quality }: typeof start): Candidate =>
            node(`${failed ? "f" : "s"}${id}`, { failed, quality: failed ? 0 : quality });
          buffer = updateBuffer(
            buffer,
            update(make(start), S, { informative, children: children.map(make), closedSeq: index + 1 }),
            { ...settings, insert, capacity: 6 },
            () => u,
          );
          expect(buffer.length).toBeLessThanOrEqual(6);
          expect(buffer.filter((item) => item.failed).length).toBeLessThanOrEqual(2);
          expect(new Set(buffer.map((item) => item.snapshot)).size).toBe(buffer.length);
        }
      }),
    );
  });
});

describe("start draw", () => {
  const draws = { kappa: 5, maxPolicyAge: 1, paper: false };

  it("weighs by exp(kappa * S / max S), however small the variances are", () => {
    const [low, high] = startWeights([entry("a", 0.0001), entry("b", 0.0002)], "m#v0", draws);
    expect((high ?? 0) / (low ?? 1)).toBeCloseTo(Math.exp(2.5), 9);
  });

  it("is uniform when nothing varied", () => {
    expect(startWeights([entry("a", 0), entry("b", 0)], "m#v0", draws)).toEqual([1, 1]);
  });

  it("measures entries of an older policy again first", () => {
    const old = entry("a", 0, { policy: "m#v0" });
    const [outdated] = startWeights([old, entry("b", 0.2, { policy: "m#v2" })], "m#v2", draws);
    expect(outdated).toBeCloseTo(Math.exp(5), 9);
    const [recent] = startWeights([old, entry("b", 0.2, { policy: "m#v1" })], "m#v1", draws);
    expect(recent).toBe(1);
  });

  it("uses the plain softmax of the paper where that is asked for", () => {
    const [weight] = startWeights([entry("a", 0.1)], "m#v0", { ...draws, paper: true });
    expect(weight).toBeCloseTo(Math.exp(0.5), 12);
  });

  it("lands on the entry the draw points at", () => {
    const entries = [entry("a", 0), entry("b", 0)];
    expect(drawStart(entries, 0.1, "m#v0", draws).node).toBe("a");
    expect(drawStart(entries, 0.9, "m#v0", draws).node).toBe("b");
  });
});

it("grows with the task space beyond eight tasks", () => {
  expect([1, 8, 9, 12].map(defaultCapacity)).toEqual([24, 24, 28, 40]);
});
