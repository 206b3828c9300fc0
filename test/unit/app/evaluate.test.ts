/** Whole evaluations in a world without model, sandbox and disk. */
import { describe, expect, it } from "vitest";
import type { EvaluateRequest } from "../../../src/app/app.ts";
import { evaluatePolicies } from "../../../src/app/evaluate.ts";
import { ExitError } from "../../../src/core/errors.ts";
import type { EvaluationStep } from "../../../src/core/evaluate/cell.ts";
import type { Policy, ResolvedTask, Sandbox, Scorer, Store } from "../../../src/core/ports.ts";
import type { EvaluationReport, RunEvent } from "../../../src/core/reports.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import {
  instantPolicy,
  instantScorer,
  memoryPolicyInfo,
  memorySnapshots,
  memoryTask,
  roomyArbiter,
  sha256,
  solutionOf,
} from "../../support/memory-world.ts";

type Parts = Parameters<typeof evaluatePolicies>[1];

/** `held` is held out; the models are told apart by their names. */
function evaluationWorld(
  change: {
    readonly tasks?: readonly ResolvedTask[];
    readonly policy?: (model: string) => Policy;
    readonly scorer?: Scorer;
    readonly store?: Store;
  } = {},
) {
  const tasks = change.tasks ?? [heldOut("held"), memoryTask("other")];
  const store = change.store ?? createMemoryStore();
  for (const task of tasks) store.setAuditPassed(task.id, task.evaluatorDigest);
  const events: RunEvent[] = [];
  const loaded: string[] = [];
  const sandbox = {
    resources: async () => ({ cpus: 2, memory: 2 ** 40, gpus: [], dataFolder: null }),
    describe: async () => ({
      engine: "",
      version: "",
      boundary: "",
      image: "",
      imageDigest: "i",
      warnings: [],
    }),
    selfTest: async () => [],
  } satisfies Partial<Sandbox>;
  const parts: Parts = {
    workspace: {
      folder: "/work",
      tasks: async () => ({ tasks: tasks.map(({ id, file }) => ({ name: id, file })), problems: [] }),
      resolve: async (name) => {
        const task = tasks.find(({ id }) => id === name);
        if (task === undefined) throw new ExitError("task-unknown", name);
        return task;
      },
      solution: async () => solutionOf(10),
      solutionIn: async () => [],
      holdout: async () => null,
      write: async () => undefined,
    },
    snapshots: memorySnapshots(),
    store,
    clock: { monotonic: () => 0, now: () => "2026-01-01T00:00:00Z" },
    sha256,
    emit: (event) => void events.push(event),
    sandbox: async () => sandbox as unknown as Sandbox,
    scorer: async () => change.scorer ?? instantScorer(),
    arbiter: roomyArbiter,
    freeBytes: async () => null,
    stateFolders: [],
    openPolicy: async ({ model }) => {
      const name = model ?? "instant";
      const inner = change.policy?.(name) ?? instantPolicy();
      return {
        ...inner,
        describe: async () => {
          loaded.push(`load ${name}`);
          return { ...memoryPolicyInfo, model: name };
        },
        unload: async () => void loaded.push(`unload ${name}`),
      };
    },
  };
  return { parts, events, loaded, store };
}

function heldOut(name: string): ResolvedTask {
  const task = memoryTask(name);
  return { ...task, definition: { ...task.definition, split: "heldout" } };
}

const request: EvaluateRequest = {
  policies: [{ runtime: null, model: "first", endpoint: null }],
  tasks: [],
  heldOutStarts: false,
  limit: null,
  K: 3,
  n: 4,
  protocols: ["chain", "greedy"],
  seed: 1,
  maxReplyTokens: 64,
  allowMissing: [],
};
const models = (...names: string[]) => names.map((model) => ({ runtime: null, model, endpoint: null }));

const never = new AbortController().signal;

/** What must not hang on where an evaluation was cut off. */
function numbers({ protocols, starts, scorings: { asked } }: EvaluationReport): unknown {
  return { protocols, starts, asked };
}

describe("an evaluation", () => {
  it("takes the held-out tasks and leaves tree, buffer and groups as they are", async () => {
    const { parts, store } = evaluationWorld();
    const report = await evaluatePolicies(request, parts, never);
    expect(report.starts).toEqual([{ task: "held", node: null, verdict: "scored", quality: 0.1 }]);
    expect(report.sameTask).toBe(false);
    expect(report.protocols.map(({ protocol }) => protocol)).toEqual(["chain", "greedy"]);
    expect(report.protocols[0]?.policies[0]?.rows.map(({ k }) => k)).toEqual([0, 1, 2, 3]);
    expect(report.steps).toEqual({ made: 24, earlier: 0 });
    expect([store.nodes(), store.buffer(), store.groupIds(), store.runs()]).toEqual([[], [], [], []]);
  });

  it("takes the only task where none is held out, and says so", async () => {
    const { parts } = evaluationWorld({ tasks: [memoryTask("only")] });
    expect(await evaluatePolicies(request, parts, never)).toMatchObject({
      sameTask: true,
      starts: [{ task: "only" }],
    });
  });

  it("begins at held-out nodes where that is asked for", async () => {
    const { parts, store } = evaluationWorld({ tasks: [memoryTask("only")] });
    const blank = {
      task: "only",
      goal: null,
      score: null,
      quality: 0,
      qualitySE: null,
      group: null,
      evaluator: "e0",
    } as const;
    const rest = { ...blank, policy: null, feedback: null, verdict: "scored" } as const;
    const snapshot = async (x: number) => parts.snapshots.save(solutionOf(x), null);
    store.addRoot({
      ...rest,
      id: "n1",
      parent: null,
      depth: 0,
      snapshot: await snapshot(10),
      heldOut: false,
    });
    store.addRoot({
      ...rest,
      id: "n2",
      parent: "n1",
      depth: 1,
      snapshot: await snapshot(20),
      heldOut: false,
    });
    store.addRoot({ ...rest, id: "n3", parent: "n1", depth: 1, snapshot: await snapshot(30), heldOut: true });
    store.addRoot({ ...rest, id: "n4", parent: "n3", depth: 2, snapshot: await snapshot(40), heldOut: true });
    const report = await evaluatePolicies({ ...request, heldOutStarts: true }, parts, never);
    expect(report).toMatchObject({ sameTask: true, starts: [{ node: "n3", quality: 0.3 }] });
    await expect(
      evaluatePolicies(
        { ...request, heldOutStarts: true },
        evaluationWorld({ tasks: [memoryTask()] }).parts,
        never,
      ),
    ).rejects.toMatchObject({ reason: "no-start" });
  });

  it("samples chains that start alike from one prompt", async () => {
    const batches: number[] = [];
    const inner = instantPolicy();
    const policy: Policy = {
      ...inner,
      sample(prompt, members, ...rest) {
        batches.push(members.length);
        return inner.sample(prompt, members, ...rest);
      },
    };
    const { parts } = evaluationWorld({ policy: () => policy });
    await evaluatePolicies({ ...request, K: 1, protocols: ["chain"] }, parts, never);
    expect(batches).toEqual([4]);
  });

  it("loads one policy after the other and compares them with the first", async () => {
    // The second model always answers with the best there is.
    const policy = (model: string) => instantPolicy(model === "second" ? { text: () => '{"x": 99}' } : {});
    const { parts, loaded } = evaluationWorld({ policy });
    const report = await evaluatePolicies({ ...request, policies: models("first", "second") }, parts, never);
    expect(loaded).toEqual(["load first", "unload first", "load second", "unload second"]);
    const [first, second] = report.protocols[0]?.policies ?? [];
    expect(first?.difference).toBeNull();
    const last = second?.difference?.[3]?.quality;
    expect(second?.rows[3]?.quality.mean).toBeCloseTo(0.99);
    expect(last?.mean).toBeCloseTo(0.99 - (first?.rows[3]?.quality.mean ?? 0));
    expect(last?.low).toBeGreaterThan(0);
  });

  it("adds to what is there when more chains and more steps are asked for", async () => {
    const { parts } = evaluationWorld();
    await evaluatePolicies(request, parts, never);
    const more = await evaluatePolicies({ ...request, n: 6, K: 4 }, parts, never);
    expect(more.steps).toEqual({ made: 48, earlier: 24 });
    const atOnce = await evaluatePolicies({ ...request, n: 6, K: 4 }, evaluationWorld().parts, never);
    expect(numbers(more)).toEqual(numbers(atOnce));
  });

  it("begins anew for another seed, model or prompt", async () => {
    const { parts } = evaluationWorld();
    await evaluatePolicies(request, parts, never);
    const earlier = async (change: Partial<EvaluateRequest>, changed = parts) =>
      (await evaluatePolicies({ ...request, ...change }, changed, never)).steps.earlier;
    expect(await earlier({})).toBe(24);
    expect(await earlier({ seed: 2 })).toBe(0);
    expect(await earlier({ policies: models("second") })).toBe(0);
    const told = heldOut("held");
    const edited = { ...told, definition: { ...told.definition, instruction: "Lower x." } };
    const workspace = { ...parts.workspace, resolve: async () => edited };
    expect(await earlier({}, { ...parts, workspace })).toBe(0);
  });
});

describe("cut off", () => {
  /** The same store, which fails for good once it has been written to `writes` times, as a killed process would. */
  function dyingStore(store: Store, writes: number): Store {
    let left = writes;
    const spend = (): void => {
      if (left-- <= 0) throw new ExitError("killed", "The process is gone.");
    };
    const { evaluations } = store;
    return {
      ...store,
      evaluations: {
        ...evaluations,
        addReply: (cell, step) => {
          spend();
          evaluations.addReply(cell, step);
        },
        addOutcome: (cell, place, outcome) => {
          spend();
          evaluations.addOutcome(cell, place, outcome);
        },
      },
    };
  }

  it("at any write, it goes on to the same numbers and samples nothing twice", async () => {
    const whole = await evaluatePolicies(request, evaluationWorld().parts, never);
    // 24 steps are 48 writes.
    for (let writes = 0; writes < 48; writes += 5) {
      let sampled = 0;
      const count = (): undefined => {
        sampled++;
      };
      const world = evaluationWorld({ policy: () => instantPolicy({ before: count }) });
      const dying = { ...world.parts, store: dyingStore(world.store, writes) };
      await expect(evaluatePolicies(request, dying, never)).rejects.toMatchObject({ reason: "killed" });
      sampled = 0;
      const again = await evaluatePolicies(request, world.parts, never);
      expect(numbers(again)).toEqual(numbers(whole));
      expect(again.steps.earlier).toBeGreaterThanOrEqual(Math.floor(writes / 2));
      expect(sampled).toBe(24 - again.steps.earlier);
      const said = world.events.some((event) => "text" in event && event.text.startsWith("Going on"));
      expect(said).toBe(again.steps.earlier > 0);
    }
    const alive = { ...evaluationWorld().parts, store: dyingStore(createMemoryStore(), 48) };
    alive.store.setAuditPassed("held", memoryTask().evaluatorDigest);
    expect(numbers(await evaluatePolicies(request, alive, never))).toEqual(numbers(whole));
  });

  it("by the user, it ends with that reason and nothing goes on", async () => {
    const stop = new AbortController();
    const policy = () =>
      instantPolicy({
        before: ({ index }) => {
          if (index === 2) stop.abort(new ExitError("cancelled", "Stop."));
          return undefined;
        },
      });
    const { parts, store } = evaluationWorld({ policy });
    await expect(evaluatePolicies(request, parts, stop.signal)).rejects.toMatchObject({
      reason: "cancelled",
    });
    const seen = await evaluatePolicies(
      request,
      { ...parts, openPolicy: evaluationWorld({ store }).parts.openPolicy },
      never,
    );
    expect(seen.steps.earlier).toBeLessThan(4);
  });
});

describe("what is lost or noisy", () => {
  it("a lost reply is sampled once more with another seed; a chain that loses it again is dropped and counted", async () => {
    const tries: number[] = [];
    const policy = () =>
      instantPolicy({
        before: ({ seed }) => {
          tries.push(seed);
          return tries.length === 1 || tries.length === 5 ? "lost" : undefined;
        },
      });
    const chain: EvaluateRequest = { ...request, K: 1, protocols: ["chain"] };
    const { parts } = evaluationWorld({ policy });
    const report = await evaluatePolicies(chain, parts, never);
    expect(new Set(tries).size).toBe(5);
    expect(report.protocols[0]?.policies[0]).toMatchObject({ chains: 3, dropped: 1 });
    expect(report.steps.made).toBe(5);
  });

  it("under greedy, what is reported of the best was scored again on a fresh seed", async () => {
    // On the search's own seed every score is twice what it is worth.
    const worth = (x: number): number => x / 200;
    const inner = instantScorer();
    const scorer: Scorer = {
      async score(asked, signal) {
        const result = await inner.score(asked, signal);
        const factor = asked.seed === undefined ? 2 : 1;
        return { ...result, verdict: "scored", quality: worth(result.score ?? 0) * factor };
      },
    };
    const { parts } = evaluationWorld({ scorer });
    const report = await evaluatePolicies(request, parts, never);
    const [chain, greedy] = report.protocols.map(({ policies }) => policies[0]?.rows);
    expect(chain?.[0]?.best.mean).toBeCloseTo(2 * worth(10));
    expect(greedy?.[0]?.best.mean).toBeCloseTo(worth(10));
    expect(greedy?.[3]?.best.mean).toBeLessThanOrEqual(worth(100));
    expect(greedy?.[3]?.best.mean).toBeGreaterThan(worth(50));
  });

  it("a chain that outgrows the model's context counts as invalid and does not end the evaluation", async () => {
    const inner = instantPolicy({ text: () => '{"x": 50}' });
    const policy: Policy = {
      ...inner,
      plan: async (messages) => {
        const planned = await inner.plan(messages);
        return planned.rendered.includes("50") ? { ...planned, tokens: 1_000_000 } : planned;
      },
    };
    const { parts, store } = evaluationWorld({ policy: () => policy });
    const report = await evaluatePolicies({ ...request, protocols: ["chain"] }, parts, never);
    const rows = report.protocols[0]?.policies[0]?.rows ?? [];
    expect(rows.map(({ quality }) => quality.mean)).toEqual([0.1, 0.5, 0, 0]);
    expect(rows.map(({ valid }) => valid.mean)).toEqual([1, 1, 0, 0]);
    expect(store.nodes()).toEqual([]);
  });

  it("a task whose root does not score is left out, said, while others remain", async () => {
    const broken = heldOut("broken");
    const inner = instantScorer();
    const scorer: Scorer = {
      score: async (asked, signal) => {
        const result = await inner.score(asked, signal);
        return asked.task.id === "broken" ? { ...result, verdict: "crash", quality: 0, score: null } : result;
      },
    };
    const { parts } = evaluationWorld({ tasks: [broken, heldOut("held")], scorer });
    const report = await evaluatePolicies(request, parts, never);
    expect(report.leftOut.map(({ task }) => task)).toEqual(["broken"]);
    expect(report.starts.map(({ task }) => task)).toEqual(["held"]);
    await expect(evaluatePolicies({ ...request, tasks: ["broken"] }, parts, never)).rejects.toMatchObject({
      reason: "baseline-fails",
    });
  });
});

it("every step is stored with prompt, reply and verdict", async () => {
  const { parts, store } = evaluationWorld();
  const cells: string[] = [];
  const evaluations = {
    ...store.evaluations,
    openCell: (cell: Parameters<Store["evaluations"]["openCell"]>[0]) => {
      cells.push(cell.id);
      store.evaluations.openCell(cell);
    },
  };
  await evaluatePolicies(request, { ...parts, store: { ...store, evaluations } }, never);
  const steps: EvaluationStep[] = cells.flatMap((cell) => [...store.evaluations.steps(cell)]);
  expect(steps).toHaveLength(24);
  for (const step of steps) {
    expect(step.prompt).toMatch(/^[0-9a-f]{64}$/);
    expect(step.text).toMatch(/^\{"x":\d+\}$/);
    expect(step.outcome?.verdict).toMatch(/scored|crash/);
    expect(step.goal).toMatch(/improve|debug/);
  }
});
