/** Groups that say little or nothing: the loop goes on, and nothing is learnt from what was not measured. */
import { describe, expect, it } from "vitest";
import { drawStart, startWeights } from "../../../src/core/buffer.ts";
import { noFilter, selectGroups } from "../../../src/core/export/select.ts";
import type { BufferEntry } from "../../../src/core/history.ts";
import { runLoop } from "../../../src/core/loop.ts";
import { decideNext } from "../../../src/core/opening.ts";
import { emptyPast } from "../../../src/core/past.ts";
import type { ScoreResult } from "../../../src/core/ports.ts";
import { defaultSettings } from "../../../src/core/settings.ts";
import { instantPolicy, instantScorer, memoryWorld, sha256 } from "../../support/memory-world.ts";

const forever = new AbortController().signal;
const answer = (x: number): string => JSON.stringify({ x });

/** A scorer whose sandbox breaks for every revision but those that `spare` names. */
function breakingScorer(spare: (x: number) => boolean): ReturnType<typeof instantScorer> {
  const whole = instantScorer();
  return {
    async score(request, signal): Promise<ScoreResult> {
      const result = await whole.score(request, signal);
      if (spare(result.score ?? 0)) return result;
      return { ...result, verdict: "infra", score: null, quality: null, feedback: null };
    },
  };
}

async function groupsOf(change: Parameters<typeof memoryWorld>[0]) {
  const world = await memoryWorld({ iterations: 4, ...change });
  expect(await runLoop(world.context, forever)).toBe("iterations");
  const groups = world.store.groupIds().flatMap((id) => world.store.group(id) ?? []);
  return { ...world, groups };
}

describe("a group that says nothing", () => {
  it("has no S and no advantages when the sandbox failed for every member, and leaves the buffer alone", async () => {
    const { groups, store } = await groupsOf({ scorer: breakingScorer(() => false) });
    expect(groups).toHaveLength(4);
    for (const group of groups) {
      expect(group).toMatchObject({ state: "closed", learnability: null, informative: false });
      for (const reply of group.replies)
        expect(reply).toMatchObject({ verdict: "infra", quality: null, reward: null, advantage: null });
    }
    expect(store.buffer()).toEqual([]);
    expect(store.nodes()).toHaveLength(1);
  });

  it("has no S with one survivor, whose node is kept for a later group", async () => {
    const { groups, store } = await groupsOf({
      iterations: 1,
      scorer: breakingScorer((x) => x === 30),
      policy: instantPolicy({ text: (seed) => answer(seed % 2 === 0 ? 30 : 40) }),
      settings: { groupSize: 2 },
      run: { seed: 3 },
    });
    const [group] = groups;
    expect(group?.replies.map((reply) => reply.verdict).sort()).toEqual(["infra", "scored"]);
    expect(group).toMatchObject({ learnability: null, informative: false });
    expect(group?.replies.map((reply) => reply.advantage)).toEqual([null, null]);
    expect(store.buffer()).toEqual([]);
    expect(store.nodes().map((node) => node.score)).toEqual([10, 30]);
  });

  it("is measured as 0 when all replies are the same: one node, no advantage, not informative", async () => {
    const { groups, store } = await groupsOf({
      iterations: 1,
      run: { strategy: "exit" },
      policy: instantPolicy({ text: () => answer(30) }),
    });
    expect(groups[0]).toMatchObject({ learnability: 0, informative: false });
    for (const reply of groups[0]?.replies ?? []) {
      expect(reply.diversity).toBe(1);
      expect(reply.advantage).toBeCloseTo(0, 9);
    }
    expect(store.nodes()).toHaveLength(2);
    expect(store.buffer().map((entry) => entry.S)).toEqual([0, 0]);
  });

  it("costs every member lambda when all replies keep the solution, and brings no child", async () => {
    const { groups, store } = await groupsOf({
      iterations: 1,
      policy: instantPolicy({ text: () => answer(10) }),
    });
    expect(groups[0]?.replies.map((reply) => reply.reward)).toEqual(Array(8).fill(-0.1));
    expect(groups[0]).toMatchObject({ learnability: 0, informative: false });
    expect(store.nodes()).toHaveLength(1);
    expect(store.buffer()).toHaveLength(1);
  });

  it("makes an entry leave the buffer the second time in a row, and the run goes on from the root", async () => {
    const { groups, store } = await groupsOf({
      iterations: 2,
      run: { strategy: "grpo" },
      settings: { pipelineDepth: 1 },
      policy: instantPolicy({ text: () => answer(10) }),
    });
    expect(groups.map((group) => group.start)).toEqual(["n1", "n1"]);
    expect(store.buffer()).toEqual([]);
  });
});

it("a perfect start is rewarded all or nothing, and never enters the buffer", async () => {
  const { groups, store } = await groupsOf({
    iterations: 6,
    run: { strategy: "greedy" },
    settings: { pipelineDepth: 1 },
    policy: instantPolicy({ text: (seed) => answer(seed % 3 === 0 ? 100 : 50) }),
  });
  const perfect = groups.filter((group) => group.startQuality === 1);
  expect(perfect.length).toBeGreaterThan(0);
  for (const reply of perfect.flatMap((group) => group.replies))
    expect(reply.reward).toBe(reply.score === 100 ? -0.1 : 0); // 100 is the start itself: unchanged
  const full = new Set(store.nodes().flatMap((node) => (node.quality === 1 ? node.id : [])));
  expect(store.buffer().some((entry) => full.has(entry.node))).toBe(false);
});

it("a buffer of one holds the newest of equally uncertain solutions and can be drawn from", async () => {
  const { groups, store } = await groupsOf({
    iterations: 12,
    run: { strategy: "exit" },
    settings: { capacity: 1, minBuffer: 1, p: 1, pipelineDepth: 1 },
  });
  expect(store.buffer()).toHaveLength(1);
  expect(groups.filter((group) => group.fromBuffer).length).toBeGreaterThan(3);
});

describe("entries of equal S", () => {
  const entry = (id: string, S: number): BufferEntry => ({
    ...{ task: "t", node: id, snapshot: id, failed: false, S, policy: "m#v0" },
    ...{ timesDrawn: 0, dullGroups: 0, insertedAt: 1 },
  });

  it.each([0, 1e-9, 0.25])("are drawn alike (S = %d)", (S) => {
    const entries = ["a", "b", "c", "d"].map((id) => entry(id, S));
    const weights = startWeights(entries, "m#v0", defaultSettings);
    expect(new Set(weights).size).toBe(1);
    const drawn = [0, 0.3, 0.6, 0.9].map((u) => drawStart(entries, u, "m#v0", defaultSettings).node);
    expect(drawn).toEqual(["a", "b", "c", "d"]);
  });
});

describe("without a task to train on", () => {
  it("there is no start", async () => {
    const { context } = await memoryWorld();
    const run = { ...context.run, tasks: [] };
    for (const strategy of ["exit", "greedy"] as const)
      expect(() => decideNext({ ...run, strategy }, 0, emptyPast(), "m#v0")).toThrowError(
        expect.objectContaining({ reason: "no-start" }),
      );
  });

  it("nothing is exported: every group is counted as one of a held-out task", async () => {
    const { store, groups } = await groupsOf({ iterations: 6 });
    const { kept, dropped } = selectGroups({
      ...{ groups: store.closedGroups(), runs: store.runs(), nodes: store.nodes(), sha256, filter: noFilter },
      ...{ policy: null, heldOutTasks: new Set(["tiny"]), oneTask: true, textsOf: (group) => [group.id] },
    });
    expect(kept).toEqual([]);
    expect([...dropped]).toEqual([["held-out task", groups.length]]);
  });
});
