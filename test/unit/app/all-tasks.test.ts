/** A run over all train tasks: which take part, what is said of the others, and how it ends. */
import { describe, expect, it } from "vitest";
import type { RunRequest } from "../../../src/app/app.ts";
import { startRun } from "../../../src/app/run.ts";
import type { RunParts } from "../../../src/app/run-parts.ts";
import { ExitError } from "../../../src/core/errors.ts";
import type { ResolvedTask, Sandbox, Scorer, Solution } from "../../../src/core/ports.ts";
import type { RunEvent } from "../../../src/core/reports.ts";
import type { TaskDefinition } from "../../../src/core/task.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import {
  instantPolicy,
  instantScorer,
  memorySnapshots,
  memoryTask,
  roomyArbiter,
  sha256,
  solutionOf,
} from "../../support/memory-world.ts";

const never = new AbortController().signal;

interface TaskSetUp {
  readonly x?: number;
  readonly broken?: string;
  readonly more?: Partial<TaskDefinition>;
}

/** A workspace of tasks that begin at x and are scored by it; the audit's empty object scores nothing. */
function partsFor(tasks: Readonly<Record<string, TaskSetUp>>, problems: readonly string[] = []) {
  const store = createMemoryStore();
  const events: RunEvent[] = [];
  const names = Object.keys(tasks);
  const resolve = async (name: string): Promise<ResolvedTask> => {
    const { broken, more } = tasks[name] ?? {};
    if (broken !== undefined) throw new ExitError("task-invalid", broken);
    const task = memoryTask(name);
    return { ...task, definition: { ...task.definition, ...more }, evaluatorDigest: `e-${name}` };
  };
  const { score } = instantScorer();
  const scorer: Scorer = {
    score: (request, signal) => {
      const text = new TextDecoder().decode(request.solution[0]?.bytes);
      const empty: Solution = solutionOf(7);
      return score(text.includes("x") ? request : { ...request, solution: empty }, signal);
    },
  };
  const sandbox = {
    describe: async () => ({
      ...{ engine: "", version: "", boundary: "", image: "i", imageDigest: "d", warnings: [] },
    }),
    resources: async () => ({ cpus: 8, memory: 2 ** 33, gpus: [], dataFolder: null }),
    selfTest: async () => [],
  } as unknown as Sandbox;
  const parts: RunParts = {
    ...{ store, sha256, snapshots: memorySnapshots() },
    clock: { monotonic: () => 0, now: () => "2030-01-01T00:00:00Z" },
    workspace: {
      folder: "/w",
      tasks: async () => ({ tasks: names.map((name) => ({ name, file: `${name}.json` })), problems }),
      resolve,
      holdout: async () => null,
      solution: async ({ id }) => solutionOf(tasks[id]?.x ?? 10),
      solutionIn: async () => [],
      write: async () => undefined,
    },
    emit: (event) => void events.push(event),
    sandbox: async () => sandbox,
    scorer: async () => scorer,
    arbiter: roomyArbiter,
    freeBytes: async () => null,
    stateFolders: [],
    openPolicy: async () => instantPolicy(),
    watch: async () => ({ close: async () => undefined }),
  };
  const warnings = (): string[] =>
    events.flatMap((event) => (event.type === "message" && event.level === "warn" ? [event.text] : []));
  return { parts, store, events, warnings };
}

const request: RunRequest = {
  ...{ tasks: [], all: true, strategy: "exit", settings: {}, runtime: null, model: null, endpoint: null },
  ...{ fresh: false, allowMissing: [], seed: 1 },
  budget: { iterations: 30, hours: null, tokens: null, target: null },
};

async function run(parts: RunParts, change: Partial<RunRequest> = {}) {
  const { active } = await startRun({ ...request, ...change }, parts, never);
  await active.ended;
  return active.run;
}

const heldOut = { more: { split: "heldout" } } as const;

describe("All train tasks", () => {
  it("take part, the held-out ones do not, and every one is begun from", async () => {
    const { parts, store, events } = partsFor({ a: {}, b: { x: 20 }, c: heldOut, d: { x: 30 } });
    const made = await run(parts);
    expect(made.tasks).toEqual(["a", "b", "d"]);
    expect(new Set(store.closedGroups().map(({ task }) => task))).toEqual(new Set(["a", "b", "d"]));
    expect(new Set(store.buffer().map(({ task }) => task)).size).toBeGreaterThan(1);
    const told = events.flatMap((event) => (event.type === "progress" ? [event.text] : []));
    expect(told).toContain("Scoring the solution as it is: d (3 of 3)");
  });

  it("give the buffer 24 places, and 4 more for each task beyond eight", async () => {
    const tasks = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`t${index}`, {}]));
    const made = await run(partsFor(tasks).parts, { budget: { ...request.budget, iterations: 1 } });
    expect(made.settings.capacity).toBe(24 + 4 * 4);
  });

  it("are run without those that are broken, fail or are too large, and each is said", async () => {
    const large = { sandbox: { ...memoryTask().definition.sandbox, memory: "999g" } };
    const { parts, warnings } = partsFor(
      {
        a: {},
        fails: { x: 14 },
        invalid: { broken: "invalid.json:1:1: no instruction" },
        large: { more: large },
      },
      ['The task name "b" is used by b.json and c.json; give each task a name of its own.'],
    );
    expect((await run(parts)).tasks).toEqual(["a"]);
    expect(warnings()).toEqual([
      expect.stringContaining('Left out: The task name "b" is used by'),
      expect.stringContaining("invalid is left out. invalid.json:1:1"),
      expect.stringContaining("large is left out."),
      expect.stringContaining("fails is left out. The solution of task fails does not score"),
    ]);
  });

  it("must be some: where all are held out the run is refused with what to do", async () => {
    await expect(run(partsFor({ a: heldOut, b: heldOut }).parts)).rejects.toMatchObject({
      reason: "no-train-task",
      message: expect.stringContaining("Name one with --task"),
    });
  });

  it("must be some that can be run: otherwise every reason is told", async () => {
    const { parts, store } = partsFor({ a: { x: 14 }, b: { broken: "b.json:1:1: no metric" } });
    await expect(run(parts)).rejects.toMatchObject({
      reason: "no-train-task",
      message: expect.stringMatching(/b\.json:1:1[\s\S]*task a does not score/),
    });
    expect(store.runs()).toEqual([]);
  });

  it("are not meant by a name: a named task that fails is refused, not left out", async () => {
    const { parts } = partsFor({ a: {}, fails: { x: 14 } });
    await expect(run(parts, { all: false, tasks: ["a", "fails"] })).rejects.toMatchObject({
      reason: "baseline-fails",
    });
  });
});

it("A target ends the run when every task has reached it, not when the first has", async () => {
  const { parts, store } = partsFor({ a: {}, b: {} });
  const made = await run(parts, { budget: { ...request.budget, iterations: 200, target: 90 } });
  expect(store.runs().find(({ id }) => id === made.id)?.endedBy).toBe("target");
  for (const task of ["a", "b"])
    expect(store.nodes().some((node) => node.task === task && (node.score ?? 0) >= 90)).toBe(true);
});

it("A run ends with the best revisions of each task confirmed", async () => {
  const { parts, store } = partsFor({ a: {}, b: {} });
  await run(parts);
  for (const task of ["a", "b"]) {
    const confirmation = store.confirmation(task);
    const best = Math.max(...store.nodes().map((node) => (node.task === task ? (node.quality ?? 0) : 0)));
    expect(confirmation?.comparisons[0]).toMatchObject({ deterministic: true, isGain: true });
    expect(confirmation?.comparisons[0]?.gain).toBeCloseTo(best - 0.1, 12);
  }
});
