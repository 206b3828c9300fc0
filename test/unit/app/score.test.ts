/** From a sandbox's outcomes to a verdict: whose fault a broken evaluation is, what is reused, what is told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createKeptOutputs } from "../../../src/app/kept-outputs.ts";
import { createScorer } from "../../../src/app/score.ts";
import type {
  Arbiter,
  EvaluateOutcome,
  Evidence,
  RunOutcome,
  Sandbox,
  ScoreRequest,
  StoredScore,
} from "../../../src/core/ports.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import { memoryTask, roomyArbiter, sha256, solutionOf } from "../../support/memory-world.ts";

const evidence: Evidence = {
  ...{ exitCode: 0, killedFor: null, oomKilled: false, stdout: "", stderr: "", ms: 1, note: "Ended." },
};
const printed = (stdout: string): EvaluateOutcome => ({ kind: "printed", stdout, evidence });
const never = new AbortController().signal;

/** A sandbox whose outcomes are given, for faults a real one shows only in bad nights. */
function scriptedSandbox(
  evaluations: EvaluateOutcome[],
  runs: (RunOutcome | undefined)[] = [],
  arbiter: Arbiter = roomyArbiter,
) {
  const folder = temporaryFolder();
  const evaluated: string[] = [];
  const ran: { seed: number; split: string }[] = [];
  const sandbox: Sandbox = {
    describe: async () => ({
      ...{ engine: "", version: "", boundary: "", image: "", imageDigest: "sha256:1", warnings: [] },
    }),
    selfTest: async () => [],
    run: async ({ key, seed, split }) => {
      ran.push({ seed, split });
      const scripted = runs.shift();
      if (scripted !== undefined) return scripted;
      mkdirSync(join(folder, key));
      writeFileSync(join(folder, key, "out.txt"), key);
      return { kind: "finished", outputs: { folder: join(folder, key), files: ["out.txt"] }, evidence };
    },
    evaluate: async ({ key }) => {
      evaluated.push(key);
      return evaluations.shift() ?? printed('{"score": 50}');
    },
    resources: async () => ({ cpus: 1, memory: 2 ** 32, gpus: [], dataFolder: null }),
    recover: async () => ({ kept: 0, containers: 0, volumes: 0 }),
    reap: async () => ({ containers: 0, volumes: 0 }),
    close: async () => undefined,
  };
  const store = createMemoryStore();
  const stored: StoredScore[] = [];
  const scorer = createScorer({
    sandbox,
    arbiter,
    store: {
      score: store.score,
      putScore(score) {
        stored.push(score);
        store.putScore(score);
      },
    },
    keptOutputs: createKeptOutputs(temporaryFolder()),
    selfTest: async (_task, { imageDigest }) => ({
      ...{ at: "2030-01-01T00:00:00Z", image: imageDigest, digest: "t1", guarantees: [] },
    }),
    sha256,
  });
  const score = (x: number, more: Partial<ScoreRequest> = {}) =>
    scorer.score(
      {
        key: `k${x}`,
        run: null,
        task: memoryTask(),
        snapshot: `s${x}`,
        solution: solutionOf(x),
        isRoot: false,
        ...more,
      },
      never,
    );
  return { score, evaluated, stored, ran };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-score-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it("keeps with each score the self-test it was made under", async () => {
  const { score, stored } = scriptedSandbox([]);
  await score(1);
  expect(stored.map(({ selfTest }) => selfTest)).toEqual(["t1"]);
});

it("scores an identical solution once and reuses the result", async () => {
  const { score, evaluated } = scriptedSandbox([]);
  const [first, twin] = await Promise.all([score(1), score(1)]);
  const later = await score(1);
  expect(evaluated).toEqual(["k1"]);
  expect([first, twin, later].map((result) => [result.quality, result.cached])).toEqual([
    [0.5, false],
    [0.5, true],
    [0.5, true],
  ]);
});

it("blames the outputs when the evaluator still works on the root's", async () => {
  const { score, evaluated } = scriptedSandbox([
    printed('{"score": 10}'),
    printed(""),
    printed('{"score": 10}'),
  ]);
  await score(10, { isRoot: true });
  const result = await score(2);
  expect(result).toMatchObject({ verdict: "invalid", quality: 0 });
  expect(result.evidence.score?.note).toContain("printed nothing");
  expect(evaluated).toEqual(["k10", "k2", "k2-again"]);
});

it("blames the evaluator when it fails on the root's outputs too: the revision is not judged, and scored again", async () => {
  const broken = { kind: "broke", evidence: { ...evidence, note: "Ended with exit code 1." } } as const;
  const { score } = scriptedSandbox([printed('{"score": 10}'), broken, broken]);
  await score(10, { isRoot: true });
  await expect(score(2)).rejects.toMatchObject({
    reason: "evaluator-broken",
    result: { verdict: "eval_error", score: null, quality: null, feedback: null },
  });
  expect(await score(2)).toMatchObject({ verdict: "scored", cached: false });
});

it("blames the evaluator after three broken evaluations with nothing to compare them with", async () => {
  const { score } = scriptedSandbox([printed("a"), printed("b"), printed("c")]);
  expect((await score(1)).verdict).toBe("invalid");
  expect((await score(2)).verdict).toBe("invalid");
  await expect(score(3)).rejects.toMatchObject({ reason: "evaluator-broken" });
});

it("never tells the evaluator's own words to the model, but does tell the rule that was broken", async () => {
  const secret = { kind: "broke", evidence: { ...evidence, note: "label 7 of row 3 is missing" } } as const;
  const { score } = scriptedSandbox([secret, printed('{"invalid": "two rows have id 4"}')]);
  expect((await score(1)).feedback).not.toContain("label");
  expect((await score(2)).feedback).toBe("two rows have id 4");
});

it("tells the model nothing of an evaluation that gave the canary away, and believes nothing of it", async () => {
  const leaked = { kind: "leaked", evidence: { ...evidence, note: "It printed the canary." } } as const;
  const { score } = scriptedSandbox([leaked]);
  expect(await score(1)).toMatchObject({ verdict: "quarantine", quality: null, feedback: null });
});

it("puts a score beyond the declared bound in quarantine, without a quality", async () => {
  const { score } = scriptedSandbox([printed('{"score": 99.99}')]);
  const task = memoryTask();
  const definition = {
    ...task.definition,
    metric: { ...task.definition.metric, plausible: [0, 99] as [number, number] },
  };
  expect(await score(1, { task: { ...task, definition } })).toMatchObject({
    verdict: "quarantine",
    quality: null,
  });
});

it("does not keep an outage as a score", async () => {
  const { score } = scriptedSandbox([], [{ kind: "failed", verdict: "infra", evidence }]);
  expect(await score(1)).toMatchObject({ verdict: "infra", quality: null });
  expect(await score(1)).toMatchObject({ verdict: "scored", cached: false });
});

it("holds one lease for run and evaluation, gives it back whatever happens, and needs none to reuse a score", async () => {
  const log: unknown[] = [];
  const arbiter: Arbiter = {
    lease: async (need, purpose) => {
      log.push([purpose, need]);
      return { gpus: ["3"], release: () => log.push("released") };
    },
  };
  const { score, evaluated } = scriptedSandbox([printed('{"score": 1}'), printed("a")], [], arbiter);
  const definition = { ...memoryTask().definition };
  definition.sandbox = { ...definition.sandbox, cpus: 2, memory: "1g", disk: "256m", gpus: 1 };
  const task = { ...memoryTask(), definition };
  await score(1, { task, isRoot: true });
  await score(1, { task });
  expect(log).toEqual([["revision", { cpus: 2, memory: 1280 * 2 ** 20, gpus: 1 }], "released"]);
  await expect(score(2, { task })).resolves.toMatchObject({ verdict: "invalid" });
  expect(log.slice(3)).toEqual(["released"]);
  expect(evaluated).toEqual(["k1", "k2", "k2-again"]);
});

describe("A task that repeats its runs", () => {
  const repeated = (repeats: number) => {
    const task = memoryTask();
    return { task: { ...task, definition: { ...task.definition, repeats } } };
  };

  it("is scored by the mean over seeds 0, 1, 2, with the standard error of its quality", async () => {
    const lines = [10, 20, 60].map((score) =>
      printed(`{"score": ${score}, "metrics": {"loss": ${score / 10}}}`),
    );
    const { score, ran, evaluated } = scriptedSandbox(lines);
    const result = await score(1, repeated(3));
    expect(ran).toEqual([0, 1, 2].map((seed) => ({ seed, split: "search" })));
    expect(evaluated).toEqual(["k1-s0", "k1-s1", "k1-s2"]);
    expect(result).toMatchObject({ verdict: "scored", score: 30, quality: 0.3, metrics: { loss: 3 } });
    // Scores 10, 20, 60: variance 700; the metric's range is 100.
    expect(result.qualitySE).toBeCloseTo(Math.sqrt(700 / 3) / 100, 12);
  });

  it("has a standard error of exactly 0 where every seed gives the same, and none with a single run", async () => {
    const { score } = scriptedSandbox([]);
    expect((await score(1, repeated(3))).qualitySE).toBe(0);
    expect((await score(2, repeated(1))).qualitySE).toBeNull();
  });

  it("fails with the first seed that fails, names it and does not run the others", async () => {
    const failure = { kind: "failed", verdict: "crash", evidence } as const;
    const { score, ran } = scriptedSandbox([], [undefined, failure]);
    const result = await score(1, repeated(5));
    expect(result).toMatchObject({ verdict: "crash", quality: 0, score: null });
    expect(result.feedback).toMatch(/^With EXIT_SEED=1: /);
    expect(ran).toHaveLength(2);
  });

  it("goes on after an outage with the seeds that are missing", async () => {
    const { score, ran } = scriptedSandbox([], [undefined, { kind: "failed", verdict: "infra", evidence }]);
    expect(await score(1, repeated(3))).toMatchObject({ verdict: "infra", quality: null });
    expect(await score(1, repeated(3))).toMatchObject({ verdict: "scored", cached: false });
    expect(ran.map(({ seed }) => seed)).toEqual([0, 1, 1, 2]);
    expect(await score(1, repeated(3))).toMatchObject({ cached: true });
    expect(ran).toHaveLength(4);
  });
});

it("scores a seed and a split of their own apart from the search's", async () => {
  const { score, ran } = scriptedSandbox([]);
  await score(1);
  await score(1, { seed: 1000 });
  await score(1, { split: "holdout" });
  expect((await score(1, { seed: 1000 })).cached).toBe(true);
  expect(ran).toEqual([
    { seed: 0, split: "search" },
    { seed: 1000, split: "search" },
    { seed: 0, split: "holdout" },
  ]);
});

it("pauses when trial after trial is lost to an engine that answers, and goes on where that ends", async () => {
  const lost: RunOutcome = { kind: "failed", verdict: "infra", evidence: { ...evidence, note: "No room." } };
  const { score, stored } = scriptedSandbox([], [lost, lost, lost, lost, lost]);
  for (const x of [1, 2, 3, 4]) expect((await score(x)).verdict).toBe("infra");
  await expect(score(5)).rejects.toMatchObject({
    reason: "sandbox-lost",
    message: expect.stringContaining("No room."),
  });
  expect((await score(1)).verdict).toBe("scored");
  expect(stored).toHaveLength(1);
});
