import { describe, expect, it } from "vitest";
import { replay } from "../../../src/app/replay.ts";
import { ExitError } from "../../../src/core/errors.ts";
import { runLoop } from "../../../src/core/loop.ts";
import { decideNext, memberSeeds } from "../../../src/core/opening.ts";
import type { Store } from "../../../src/core/ports.ts";
import { pastOf, readRecord, sightOf } from "../../../src/core/record.ts";
import { advantages, learnability, rewards } from "../../../src/core/reward.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import {
  instantPolicy,
  instantScorer,
  memorySnapshots,
  memoryWorld,
  sha256,
  solutionOf,
} from "../../support/memory-world.ts";

const forever = new AbortController().signal;

/** Everything a run decided and made, for comparison. */
function story(store: Store): unknown {
  return {
    groups: store.groupIds().map((id) => {
      const group = store.group(id);
      return group && { ...group, replies: group.replies.map(({ ms: _, ...reply }) => reply) };
    }),
    nodes: store.nodes(),
    buffer: store.buffer(),
  };
}

/** A store whose process is gone after `steps` steps: every later one throws before it is stored. */
function dyingAfter<S extends Store & { readonly log: string[] }>(steps: number, store: S): S {
  const alive = <A extends unknown[]>(step: (...args: A) => void) => {
    return (...args: A): void => {
      if (store.log.length >= steps) throw new Error("power cut");
      step(...args);
    };
  };
  return {
    ...store,
    openGroup: alive(store.openGroup),
    addReply: alive(store.addReply),
    addOutcome: alive(store.addOutcome),
    closeGroup: alive(store.closeGroup),
  };
}

describe("the loop with ports in memory", () => {
  for (const pipelineDepth of [1, 2]) {
    it(`runs whole iterations at depth ${pipelineDepth}: groups, nodes, rewards, buffer`, async () => {
      const { context, store } = await memoryWorld({ iterations: 12, settings: { pipelineDepth } });
      expect(await runLoop(context, forever)).toBe("iterations");
      const groups = store.groupIds().map((id) => store.group(id));
      expect(groups).toHaveLength(12);
      for (const group of groups) {
        if (group === null) throw new Error("a group is missing");
        expect(group.state).toBe("closed");
        expect(group.replies).toHaveLength(8);
        const members = group.replies.map((reply) => ({
          quality: reply.quality,
          failed: reply.verdict === "crash",
          unchanged: reply.snapshot === group.startSnapshot,
        }));
        const r = rewards(members, group.reward, group.startQuality);
        expect(group.replies.map((reply) => reply.reward)).toEqual(r);
        expect(group.learnability).toBe(learnability(members.map((member) => member.quality)));
        const A = advantages(r);
        for (const [place, reply] of group.replies.entries())
          expect(reply.advantage).toBeCloseTo((A[place] ?? 0) * (reply.diversity ?? 1), 9);
      }
      expect(Math.max(...store.nodes().map((node) => node.depth))).toBeGreaterThan(1);
      expect(new Set(store.nodes().map((node) => `${node.parent} ${node.snapshot}`)).size).toBe(
        store.nodes().length,
      );
      expect(store.buffer().length).toBeGreaterThan(3);
      expect(store.runs()[0]?.spent).toMatchObject({ iterations: 12, tokens: 96 });
    });
  }

  it("decides alike whatever finishes first: only iterations up to t - D count", async () => {
    const plain = await memoryWorld({ iterations: 10 });
    await runLoop(plain.context, forever);
    let calls = 0;
    const shuffled = await memoryWorld({
      iterations: 10,
      scorer: instantScorer(async () => {
        // Every third scoring takes some turns of the event loop longer.
        if (calls++ % 3 === 0) for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      }),
    });
    await runLoop(shuffled.context, forever);
    expect(story(shuffled.store)).toEqual(story(plain.store));
  });

  it("goes on after being cut off anywhere, to the very same history", async () => {
    const whole = await memoryWorld({ iterations: 6 });
    await runLoop(whole.context, forever);
    const steps = whole.store.log.length;
    for (let cut = 1; cut < steps; cut += 7) {
      const store = createMemoryStore();
      const snapshots = memorySnapshots();
      const dying = dyingAfter(cut, store);
      const first = await memoryWorld({ store: dying, snapshots, iterations: 6 });
      await expect(runLoop(first.context, forever)).rejects.toThrow("power cut");
      const second = await memoryWorld({ store, snapshots });
      expect(await runLoop(second.context, forever)).toBe("iterations");
      expect(story(store)).toEqual(story(whole.store));
    }
  });

  it("opens what a fresh process computes from the records alone", async () => {
    const { context, store } = await memoryWorld({ iterations: 9 });
    await runLoop(context, forever);
    const record = readRecord(store);
    for (const id of store.groupIds()) {
      const group = store.group(id);
      if (group === null) throw new Error("a group is missing");
      const visible = pastOf(record, sightOf(context.run, group));
      const decision = decideNext(context.run, group.iteration, visible, group.policy);
      expect([decision.start.id, decision.goal, decision.draws]).toEqual([
        group.start,
        group.goal,
        group.draws,
      ]);
      expect(group.seeds).toEqual(memberSeeds(context.run, group.iteration, group.attempt));
    }
  });

  it("opens the same after another run came between, as a fresh process would", async () => {
    // Scores come late, so that two groups are open at most cuts.
    const scorer = instantScorer(async () => {
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    });
    const settings = { groupSize: 3, minBuffer: 1 };
    const run = { strategy: "exit" } as const;
    for (let cut = 10; cut < 70; cut++) {
      const store = createMemoryStore();
      const snapshots = memorySnapshots();
      const dying = dyingAfter(cut, store);
      const first = await memoryWorld({ store: dying, snapshots, scorer, settings, run, iterations: 10 });
      await expect(runLoop(first.context, forever)).rejects.toThrow("power cut");
      const other = await memoryWorld({
        store,
        snapshots,
        iterations: 3,
        settings,
        run: { ...run, id: "r2", seed: 7 },
      });
      await runLoop(other.context, forever);
      const again = await memoryWorld({ store, snapshots });
      await runLoop(again.context, forever);
      const record = readRecord(store);
      for (const id of store.groupIds()) {
        const group = store.group(id);
        if (group?.run !== "r1") continue;
        const visible = pastOf(record, sightOf(again.context.run, group));
        const decision = decideNext(again.context.run, group.iteration, visible, group.policy);
        expect([id, decision.start.id, decision.draws]).toEqual([id, group.start, group.draws]);
      }
    }
  });

  it("never completes a group with the replies of another model", async () => {
    const store = createMemoryStore();
    const snapshots = memorySnapshots();
    const first = await memoryWorld({ store: dyingAfter(6, store), snapshots, iterations: 2 });
    await expect(runLoop(first.context, forever)).rejects.toThrow("power cut");
    const before = store.group("r1i0")?.replies.map((reply) => reply.index) ?? [];
    expect(before.length).toBeGreaterThan(1);
    expect(before.length).toBeLessThan(8);
    const second = await memoryWorld({ store, snapshots });
    await runLoop({ ...second.context, policyVersion: "another@e#v0" }, forever);
    const groups = store.groupIds().map((id) => store.group(id));
    expect(groups[0]?.replies.map((reply) => reply.index)).toEqual(before);
    expect(groups.map((group) => group?.policy)).toEqual(["instant@d#v0", "another@e#v0"]);
  });

  it("points identical replies of a group at one node and unchanged ones at their start", async () => {
    const { context, store } = await memoryWorld({
      iterations: 1,
      policy: instantPolicy({ text: (seed) => JSON.stringify({ x: seed % 2 === 0 ? 10 : 20 }) }),
    });
    await runLoop(context, forever);
    const group = store.group("r1i0");
    expect(store.nodes().map((node) => node.score)).toEqual([10, 20]);
    for (const reply of group?.replies ?? []) expect(reply.node).toBe(reply.score === 10 ? "n1" : "n2");
    expect(group?.replies.find((reply) => reply.node === "n1")).toMatchObject({
      reward: -0.1,
      verdict: "scored",
    });
  });

  it("keeps unreadable replies in the group with quality 0, without a node", async () => {
    const { context, store } = await memoryWorld({
      iterations: 1,
      policy: instantPolicy({ text: (seed) => (seed % 2 === 0 ? "I would rather not." : '{"x": 30}') }),
    });
    await runLoop(context, forever);
    const invalid = store.group("r1i0")?.replies.filter((reply) => reply.verdict === "invalid") ?? [];
    expect(invalid.length).toBeGreaterThan(0);
    for (const reply of invalid)
      expect(reply).toMatchObject({ quality: 0, node: null, snapshot: null, reward: -0.1 });
  });

  it("starts from a failed node with the goal debug and tells the error, never a score", async () => {
    const { context, store } = await memoryWorld({
      iterations: 30,
      run: { strategy: "exit" },
      policy: instantPolicy({ text: (seed) => JSON.stringify({ x: 7 * (seed % 15) + (seed % 2) }) }),
    });
    await runLoop(context, forever);
    const debug = store
      .groupIds()
      .map((id) => store.group(id))
      .find((group) => group?.goal === "debug");
    expect(debug?.startQuality).toBe(0);
    const prompt = debug?.prompt.messages.map((message) => message.content).join("\n") ?? "";
    expect(prompt).toContain("is divisible by 7");
  });

  it("samples a group once more when fewer than two replies came back, then closes it as infra", async () => {
    const { context, store } = await memoryWorld({
      iterations: 2,
      policy: instantPolicy({ before: ({ index }) => (index > 0 ? "lost" : undefined) }),
    });
    await runLoop(context, forever);
    expect(store.groupIds()).toEqual(["r1i0", "r1i0b", "r1i1", "r1i1b"]);
    const [first, second] = [store.group("r1i0"), store.group("r1i0b")];
    expect([first?.state, second?.state]).toEqual(["infra", "infra"]);
    expect(second?.seeds).not.toEqual(first?.seeds);
    expect(store.buffer()).toEqual([]);
    expect(first?.replies[0]).toMatchObject({ reward: expect.any(Number), advantage: null });
  });

  it("leaves a lost reply out of its group and goes on", async () => {
    const { context, store } = await memoryWorld({
      iterations: 1,
      policy: instantPolicy({ before: ({ index }) => (index === 3 ? "lost" : undefined) }),
    });
    await runLoop(context, forever);
    expect(store.group("r1i0")?.replies.map((reply) => reply.index)).toEqual([0, 1, 2, 4, 5, 6, 7]);
  });

  it("ends at the target, in the task's raw metric", async () => {
    const { context, store } = await memoryWorld({
      iterations: 500,
      run: { budget: { iterations: 500, hours: null, tokens: null, target: 90 } },
    });
    expect(await runLoop(context, forever)).toBe("target");
    expect(Math.max(...store.nodes().map((node) => node.score ?? 0))).toBeGreaterThanOrEqual(90);
    expect(store.groupIds().length).toBeLessThan(100);
  });

  it("ends at the tokens spent", async () => {
    const { context } = await memoryWorld({
      run: { budget: { iterations: null, hours: null, tokens: 20, target: null } },
      settings: { pipelineDepth: 1 },
    });
    expect(await runLoop(context, forever)).toBe("tokens");
  });

  it("stops when told to, keeping what is finished, and can be continued", async () => {
    const stop = new AbortController();
    const { context, store } = await memoryWorld({
      iterations: 8,
      policy: instantPolicy({
        before: () => {
          if (store.log.filter((line) => line.startsWith("close")).length >= 3)
            stop.abort(new ExitError("stopped", "."));
          return undefined;
        },
      }),
    });
    await expect(runLoop(context, stop.signal)).rejects.toMatchObject({ reason: "stopped" });
    const done = store.log.length;
    const again = await memoryWorld({ store, snapshots: context.snapshots });
    await runLoop(again.context, forever);
    expect(store.log.filter((line) => line.startsWith("close"))).toHaveLength(8);
    expect(store.log.length).toBeGreaterThan(done);
    expect(new Set(store.log).size).toBe(store.log.length);
  });

  it("pauses before a group for which there is no space, finishes what is under way, and goes on alike", async () => {
    const whole = await memoryWorld({ iterations: 6 });
    await runLoop(whole.context, forever);
    let checks = 0;
    const { context, store } = await memoryWorld({
      iterations: 6,
      scorer: instantScorer(async () => {
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      }),
      checkSpace: async () => {
        if (++checks > 3) throw new ExitError("disk-low", "Only 1 MiB is free.");
      },
    });
    await expect(runLoop(context, forever)).rejects.toMatchObject({ reason: "disk-low" });
    expect(store.groupIds().map((id) => store.group(id)?.state)).toEqual(["closed", "closed", "closed"]);
    const again = await memoryWorld({ store, snapshots: context.snapshots });
    expect(await runLoop(again.context, forever)).toBe("iterations");
    expect(story(store)).toEqual(story(whole.store));
  });

  it("gives the error of a broken port on, and nothing goes on behind it", async () => {
    let scored = 0;
    const { context, store } = await memoryWorld({
      iterations: 50,
      scorer: instantScorer(async () => {
        if (++scored === 12) throw new ExitError("evaluator-broken", "The score command fails.");
      }),
    });
    await expect(runLoop(context, forever)).rejects.toMatchObject({ reason: "evaluator-broken" });
    const steps = store.log.length;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(store.log.length).toBe(steps);
  });
});

it("a greedy run leaves a node alone after three groups without a new best", async () => {
  const snapshots = memorySnapshots();
  const { context, store } = await memoryWorld({
    snapshots,
    iterations: 9,
    run: { strategy: "greedy" },
    settings: { pipelineDepth: 1 },
    // Nothing ever beats the root.
    policy: instantPolicy({ text: (seed) => JSON.stringify({ x: 1 + (seed % 6) }) }),
  });
  await runLoop(context, forever);
  const starts = store.groupIds().map((id) => store.group(id)?.startSnapshot);
  const root = await snapshots.save(solutionOf(10), null);
  expect(starts.slice(0, 3)).toEqual([root, root, root]);
  expect(starts[3]).not.toBe(root);
});

describe("an embedding model", () => {
  const settings = { embeddingModel: "minilm" };
  const run = { strategy: "exit" } as const;

  it("measures how far solutions are apart, and is recorded with its digest", async () => {
    const asked: string[] = [];
    const embed = async (model: string, texts: readonly string[]) => {
      asked.push(model);
      return { digest: "m1", vectors: texts.map((text) => [Number(/\d+/.exec(text)?.[0]), 0]) };
    };
    const policy = { ...instantPolicy(), embed };
    const { context, store } = await memoryWorld({ policy, settings, run, iterations: 3 });
    await runLoop(context, forever);
    expect(asked).toEqual(["minilm", "minilm", "minilm"]);
    for (const { id, embedding } of store.closedGroups()) {
      expect(embedding).toEqual({ model: "minilm", digest: "m1" });
      const replies = store.group(id)?.replies ?? [];
      const xs = replies.map(({ text }) => (JSON.parse(text) as { x: number }).x);
      const mean = xs.reduce((sum, x) => sum + x, 0) / xs.length;
      for (const [place, { distance }] of replies.entries())
        expect(distance).toBeCloseTo(Math.abs((xs[place] ?? 0) - mean), 9);
    }
    expect(replay("r1", { store, sha256 })).toMatchObject({ differences: [], notChecked: [] });
  });

  it("that a solution is too long for gives way to the built-in measure, for that group and aloud", async () => {
    const embed = async () => {
      throw new ExitError("embedding-too-long", "A solution is too long for minilm.");
    };
    const policy = { ...instantPolicy(), embed };
    const { context, store } = await memoryWorld({ policy, settings, run, iterations: 1 });
    const said: string[] = [];
    const observer = { message: (_: string, text: string) => void said.push(text) };
    await runLoop({ ...context, observer }, forever);
    expect(said).toEqual(["A solution is too long for minilm. The built-in measure is used for r1i0."]);
    expect(store.closedGroups()[0]?.embedding).toEqual({ model: null, digest: null });
  });
});
