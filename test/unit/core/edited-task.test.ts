/** A task edited in the middle of a run: scores of different evaluators are never mixed. */
import { describe, expect, it } from "vitest";
import { replay } from "../../../src/app/replay.ts";
import { ensureRoot } from "../../../src/app/roots.ts";
import { bestOf, comparableIn, listNodes } from "../../../src/app/tree.ts";
import { EvaluatorBroken } from "../../../src/core/evaluator-broken.ts";
import { runLoop } from "../../../src/core/loop.ts";
import type { ResolvedTask, Scorer, Store, Workspace } from "../../../src/core/ports.ts";
import { pastOf, readRecord } from "../../../src/core/record.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import {
  instantPolicy,
  instantScorer,
  memorySnapshots,
  memoryTask,
  memoryWorld,
  sha256,
  solutionOf,
} from "../../support/memory-world.ts";

const forever = new AbortController().signal;

/** After the edit a score is half of what it was. */
const stricter: Scorer = {
  async score(request, signal) {
    const result = await instantScorer().score(request, signal);
    const { score, quality } = result;
    return { ...result, score: score && score / 2, quality: quality && quality / 2 };
  },
};

const before = memoryTask("tiny", "e0");
const after = memoryTask("tiny", "e1");

/** A run cut off with groups open, after which the task was edited and the run goes on. */
async function editedRun(settings = {}) {
  const store = createMemoryStore();
  const snapshots = memorySnapshots();
  const first = await memoryWorld({ store, snapshots, task: before, iterations: 12, settings });
  const cut = runLoop(
    {
      ...first.context,
      store: {
        ...store,
        closeGroup(closing) {
          if (closing.group === "r1i5") throw new Error("power cut");
          store.closeGroup(closing);
        },
      },
    },
    forever,
  );
  await expect(cut).rejects.toThrow("power cut");
  await root(after, stricter, store, snapshots);
  const said: string[] = [];
  const second = await memoryWorld({ store, snapshots, task: after, scorer: stricter });
  const observer = { message: (_: string, text: string) => void said.push(text) };
  const end = await runLoop({ ...second.context, observer }, forever);
  return { store, said, end };
}

async function root(
  task: ResolvedTask,
  scorer: Scorer,
  store: Store,
  snapshots = memorySnapshots(),
  x = 10,
): Promise<void> {
  const workspace: Pick<Workspace, "solution"> = { solution: async () => solutionOf(x) };
  await ensureRoot(task, { workspace: workspace as Workspace, snapshots, scorer, store }, forever);
}

describe("a task edited in the middle of a run", () => {
  for (const pipelineDepth of [1, 2])
    it(`never starts from, compares with or buffers a node of the old evaluator, depth ${pipelineDepth}`, async () => {
      const { store, end } = await editedRun({ pipelineDepth });
      expect(end).toBe("iterations");
      const byId = new Map(store.nodes().map((node) => [node.id, node]));
      const record = store.rootsInForce();
      expect(record.map(({ node }) => byId.get(node)?.evaluator)).toEqual(["e0", "e1"]);
      const groups = store.groupIds().map((id) => store.group(id));
      for (const group of groups) {
        const start = byId.get(group?.start ?? "");
        expect(start?.evaluator).toBe(group?.evaluator);
        expect(group?.startQuality).toBe(start?.quality);
      }
      for (const node of byId.values()) {
        const parent = node.parent === null ? node : byId.get(node.parent);
        expect(parent?.evaluator).toBe(node.evaluator);
      }
      expect(store.buffer().length).toBeGreaterThan(0);
      for (const entry of store.buffer()) expect(byId.get(entry.node)?.evaluator).toBe("e1");
      expect(pastOf(readRecord(store)).buffer).toEqual(store.buffer());
    });

  it("samples the iterations under way anew, says so, and learns nothing from what they had", async () => {
    const { store, said } = await editedRun();
    const outdated = store.closedGroups().filter((group) => group.state === "infra");
    expect(outdated.map(({ id, evaluator }) => [id, evaluator])).toContainEqual(["r1i5", "e0"]);
    for (const group of outdated)
      expect(group).toMatchObject({ evaluator: "e0", learnability: null, informative: false });
    const again = store.groupIds().filter((id) => id.endsWith("b"));
    expect(again).toEqual(outdated.map(({ id }) => `${id}b`));
    expect(said[0]).toContain("r1i5 was begun before task tiny was edited");
    expect(store.runs()[0]?.spent.iterations).toBe(12);
  });

  it("keeps and shows the old nodes as not comparable, and the best is one of the new ones", async () => {
    const { store } = await editedRun();
    const listed = listNodes(store, null);
    const old = listed.filter((node) => node.evaluator === "e0");
    expect(old.length).toBeGreaterThan(8);
    expect(old.some((node) => node.comparable || node.best)).toBe(false);
    const best = bestOf(store.nodes(), "tiny", comparableIn(store));
    expect(best?.evaluator).toBe("e1");
    expect(Math.max(...old.map((node) => node.quality ?? 0))).toBeGreaterThan(best?.quality ?? 1);
  });

  it("does not end at a target that only an old node reached", async () => {
    const store = createMemoryStore();
    const snapshots = memorySnapshots();
    const budget = { iterations: 3, hours: null, tokens: null, target: 60 };
    const policy = instantPolicy({ text: (seed) => JSON.stringify({ x: 60 + (seed % 3) }) });
    const world = { store, snapshots, policy };
    const first = await memoryWorld({ ...world, task: before, run: { budget } });
    expect(await runLoop(first.context, forever)).toBe("target");
    await root(after, stricter, store, snapshots);
    const second = await memoryWorld({
      ...world,
      task: after,
      scorer: stricter,
      run: { id: "r2", budget },
    });
    expect(await runLoop(second.context, forever)).toBe("iterations");
  });

  it("replays without a difference, before and after the edit", async () => {
    for (const pipelineDepth of [1, 2]) {
      const { store } = await editedRun({ pipelineDepth });
      expect(replay("r1", { store, sha256 })).toMatchObject({ differences: [], notChecked: [] });
    }
  });
});

describe("the root under another evaluator", () => {
  it("is scored first, as a node of its own; the old one stays as it was", async () => {
    const store = createMemoryStore();
    await root(before, instantScorer(), store);
    await root(after, stricter, store);
    await root(after, stricter, store);
    expect(store.nodes().map(({ id, evaluator, score }) => [id, evaluator, score])).toEqual([
      ["n1", "e0", 10],
      ["n2", "e1", 5],
    ]);
    expect(store.rootsInForce().map(({ node }) => node)).toEqual(["n1", "n2"]);
  });

  it("is in force again, unscored anew, when the edit is taken back", async () => {
    const store = createMemoryStore();
    await root(before, instantScorer(), store);
    await root(after, stricter, store);
    const noScorer: Scorer = { score: () => Promise.reject(new Error("nothing is to be scored")) };
    await root(before, noScorer, store);
    expect(store.rootsInForce().map(({ node }) => node)).toEqual(["n1", "n2", "n1"]);
  });

  it("is the newest of its evaluator's where there were several", async () => {
    const store = createMemoryStore();
    await root(before, instantScorer(), store, memorySnapshots(), 10);
    await root(before, instantScorer(), store, memorySnapshots(), 20);
    await root(after, stricter, store, memorySnapshots(), 20);
    await root(before, instantScorer(), store, memorySnapshots(), 10);
    expect(store.rootsInForce().map(({ node }) => node)).toEqual(["n1", "n2", "n3", "n2"]);
  });
});

describe("an evaluator that breaks", () => {
  const failing = (times: number): Scorer => {
    let left = times;
    return {
      async score(request, signal) {
        const result = await instantScorer().score(request, signal);
        if (left-- !== 0) return result;
        const nothing = { verdict: "eval_error", score: null, quality: null, feedback: null } as const;
        throw new EvaluatorBroken("The score command fails.", { ...result, ...nothing });
      },
    };
  };

  it("pauses the run with the verdict stored, and the revision is scored again on continuing", async () => {
    const whole = await memoryWorld({ iterations: 4 });
    await runLoop(whole.context, forever);
    const snapshots = memorySnapshots();
    const { context, store } = await memoryWorld({ snapshots, iterations: 4, scorer: failing(11) });
    await expect(runLoop(context, forever)).rejects.toMatchObject({ reason: "evaluator-broken" });
    const paused = store.openGroups("r1").flatMap(({ group }) => group.replies);
    const unjudged = paused.filter((reply) => reply.verdict === "eval_error");
    expect(unjudged).toMatchObject([{ score: null, quality: null, node: null }]);
    expect(unjudged[0]?.snapshot).not.toBeNull();
    const again = await memoryWorld({ store, snapshots });
    expect(await runLoop(again.context, forever)).toBe("iterations");
    const story = ({ store: told }: { store: Store }) => [told.nodes(), told.closedGroups(), told.buffer()];
    expect(story(again)).toEqual(story(whole));
  });
});

it("a wall clock that jumps changes no decision and ends no run", async () => {
  const plain = await memoryWorld({ iterations: 6 });
  await runLoop(plain.context, forever);
  const jumping = await memoryWorld({
    run: { budget: { iterations: 6, hours: 1, tokens: null, target: null } },
  });
  let day = 1;
  const now = (): string => {
    day = 40 - day * 3;
    return new Date(Date.UTC(2030, 0, day)).toISOString();
  };
  const clock = { ...jumping.context.clock, now };
  expect(await runLoop({ ...jumping.context, clock }, forever)).toBe("iterations");
  expect(jumping.store.nodes()).toEqual(plain.store.nodes());
  expect(jumping.store.buffer()).toEqual(plain.store.buffer());
});
