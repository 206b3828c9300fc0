/** The steps of a confirmation: which solutions are scored, how often, and what is kept. */
import { expect, it } from "vitest";
import { confirmTask } from "../../../src/app/confirm.ts";
import { confirmationSeeds } from "../../../src/core/confirmation.ts";
import type { Node } from "../../../src/core/history.ts";
import type { ResolvedTask, ScoreRequest, ScoreResult } from "../../../src/core/ports.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import { memorySnapshots, memoryTask, solutionOf } from "../../support/memory-world.ts";

const never = new AbortController().signal;
const clock = { monotonic: () => 0, now: () => "2026-01-01T00:00:00Z" };

/** A task whose root has x = 10 and whose revisions have these; `score` says what a solution scores with a seed. */
async function worldOf(
  revisions: readonly number[],
  score: (x: number, request: ScoreRequest) => number | "infra",
  holdout: ResolvedTask | null = null,
) {
  const store = createMemoryStore();
  const snapshots = memorySnapshots();
  for (const [index, x] of [10, ...revisions].entries()) {
    const node: Node = {
      ...{ id: `n${index + 1}`, task: "tiny", parent: index === 0 ? null : "n1", depth: index === 0 ? 0 : 1 },
      ...{ goal: index === 0 ? null : "improve", verdict: "scored", score: x, quality: x / 100 },
      ...{ qualitySE: null, group: null, policy: null, heldOut: false, feedback: null, evaluator: "e0" },
      snapshot: await snapshots.save(solutionOf(x), null),
    };
    store.addRoot(node);
  }
  const asked: ScoreRequest[] = [];
  const told: string[] = [];
  const scorer = {
    async score(request: ScoreRequest): Promise<ScoreResult> {
      asked.push(request);
      const { x } = JSON.parse(new TextDecoder().decode(request.solution[0]?.bytes)) as { x: number };
      const value = score(x, request);
      const lost = value === "infra";
      return {
        ...{
          verdict: lost ? "infra" : "scored",
          score: lost ? null : value,
          quality: lost ? null : value / 100,
        },
        ...{ qualitySE: null, metrics: {}, feedback: null, evidence: { run: null, score: null } },
        ...{ cached: false, ms: 1 },
      };
    },
  };
  const workspace = { holdout: async () => holdout };
  const parts = {
    workspace,
    snapshots,
    store,
    scorer,
    clock,
    progress: (text: string) => void told.push(text),
  };
  return { store, asked, told, confirm: (signal = never) => confirmTask(memoryTask(), "r1", parts, signal) };
}

it("scores root and the best three on eight fresh seeds where scores are noisy", async () => {
  const noisy = (x: number, { seed = 0 }: ScoreRequest): number => x + (seed % 3);
  const { asked, confirm, store } = await worldOf([12, 40, 30, 9, 35], noisy);
  const confirmation = await confirm();
  expect(new Set(asked.map(({ seed }) => seed))).toEqual(new Set(confirmationSeeds));
  expect(new Set(asked.map(({ key }) => key)).size).toBe(4 * 8);
  expect(confirmation?.candidates.map(({ node }) => node)).toEqual(["n3", "n6", "n4"]);
  expect(confirmation?.winner).toBe("n3");
  expect(confirmation?.root.trials).toHaveLength(8);
  expect(confirmation?.comparisons.map(({ deterministic }) => deterministic)).toEqual([false, false, false]);
  expect(store.confirmation("tiny")).toEqual(confirmation);
});

it("stops after three seeds where every solution always scores the same, and labels the gain deterministic", async () => {
  const { asked, confirm } = await worldOf([12, 40], (x) => x);
  const confirmation = await confirm();
  expect(asked).toHaveLength(3 * 3);
  expect(confirmation?.winner).toBe("n3");
  expect(confirmation?.comparisons[0]).toMatchObject({ deterministic: true, isGain: true, p: null });
  expect(confirmation?.comparisons[0]?.gain).toBeCloseTo(0.3, 12);
});

it("says no gain where the fresh scores do not bear the search's out, and leaves the holdout unseen", async () => {
  const { asked, confirm } = await worldOf([40], (_, { seed = 0 }) => 10 + (seed % 3), memoryTask());
  const confirmation = await confirm();
  expect(confirmation).toMatchObject({ winner: null, holdout: null });
  expect(asked.some(({ split }) => split === "holdout")).toBe(false);
});

it("scores the winner and the root once on the holdout, with the replaced files", async () => {
  const replaced = { ...memoryTask(), evaluatorDigest: "replaced" };
  const { asked, confirm } = await worldOf(
    [40],
    (x, { split }) => (split === "holdout" ? x - 1 : x),
    replaced,
  );
  const confirmation = await confirm();
  expect(confirmation?.holdout).toEqual({
    root: { verdict: "scored", score: 9, quality: 0.09 },
    winner: { verdict: "scored", score: 39, quality: 0.39 },
  });
  const ofHoldout = asked.filter(({ split }) => split === "holdout");
  expect(ofHoldout.map(({ task, seed }) => [task.evaluatorDigest, seed])).toEqual([
    ["replaced", undefined],
    ["replaced", undefined],
  ]);
});

it("asks once more for a score the sandbox lost, and goes on without it", async () => {
  const { asked, confirm } = await worldOf([40], (x, { seed, key }) =>
    x === 40 && (seed === 1000 || (seed === 1001 && !key.endsWith("-again"))) ? "infra" : x,
  );
  const confirmation = await confirm();
  const trials = confirmation?.candidates[0]?.trials;
  expect(trials?.find(({ seed }) => seed === 1000)?.verdict).toBe("infra");
  expect(trials?.find(({ seed }) => seed === 1001)?.verdict).toBe("scored");
  expect(asked.filter(({ seed, isRoot }) => seed === 1000 && !isRoot).length).toBeGreaterThanOrEqual(2);
  expect(confirmation?.winner).toBe("n2");
});

it("has nothing to confirm where no revision is better than the root", async () => {
  const { asked, confirm } = await worldOf([10, 5], (x) => x);
  expect(await confirm()).toBeNull();
  expect(asked).toEqual([]);
});

it("ends with the signal's reason and keeps nothing half-way", async () => {
  const stop = new AbortController();
  const { confirm, store } = await worldOf([40], (x) => {
    stop.abort(new Error("enough"));
    stop.signal.throwIfAborted();
    return x;
  });
  await expect(confirm(stop.signal)).rejects.toThrow("enough");
  expect(store.confirmation("tiny")).toBeNull();
});
