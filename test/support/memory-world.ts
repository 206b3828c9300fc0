/**
 * A whole world for the loop in memory: a json task whose score is a function of its one number, a policy that
 * answers at once from its seed, snapshots by content. Nothing here touches a disk, a model or a sandbox.
 */
import { createHash } from "node:crypto";
import { ExitError } from "../../src/core/errors.ts";
import { type Node, nothingSpent, type Run, type SampledReply } from "../../src/core/history.ts";
import type { LoopContext } from "../../src/core/loop.ts";
import type {
  Arbiter,
  Policy,
  PolicyInfo,
  ResolvedTask,
  Scorer,
  Snapshots,
  Solution,
  Store,
} from "../../src/core/ports.ts";
import { defaultSettings } from "../../src/core/settings.ts";
import { taskSchema } from "../../src/core/task.ts";
import { createMemoryStore } from "./memory-store.ts";

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const solutionOf = (x: number): Solution => [
  { path: "solution.json", bytes: encode(`${JSON.stringify({ x }, null, 2)}\n`), executable: false },
];
const numberIn = (solution: Solution): number =>
  (JSON.parse(new TextDecoder().decode(solution[0]?.bytes)) as { x: number }).x;

export function memoryTask(name = "tiny", evaluatorDigest = "e0"): ResolvedTask {
  const definition = taskSchema.parse({
    name,
    instruction: "Raise x.",
    solution: { files: ["solution.json"], format: "json" },
    run: { command: ["run"], outputs: ["out.txt"] },
    score: { command: ["score"] },
    metric: { name: "x", direction: "maximize", worst: 0, best: 100 },
    sandbox: { image: "none" },
  });
  const empty = { digest: "", folder: "/nowhere", files: [] };
  return {
    id: name,
    file: "exit.task.json",
    definition,
    schema: {
      type: "object",
      properties: { x: { type: "integer", minimum: 0, maximum: 100 } },
      required: ["x"],
      additionalProperties: false,
    },
    isSolutionPath: (path) => path === "solution.json",
    isOutputPath: () => false,
    context: [],
    inputs: empty,
    hidden: empty,
    evaluatorDigest,
  };
}

export function memorySnapshots(): Snapshots {
  const held = new Map<string, Solution>();
  return {
    save: async (solution) => {
      const id = sha256(
        solution.map((file) => `${file.path}\0${new TextDecoder().decode(file.bytes)}`).join("\0"),
      );
      held.set(id, solution);
      return id;
    },
    read: async (id) => {
      const solution = held.get(id);
      if (solution === undefined) throw new ExitError("snapshot-missing", `no snapshot ${id}`);
      return solution;
    },
    diff: async () => "",
    merge: async (_base, ours) => ({ merged: ours, conflicts: [] }),
    prune: async () => ({ snapshots: 0, bytes: 0 }),
  };
}

export const memoryPolicyInfo: PolicyInfo = {
  runtime: "memory",
  model: "instant",
  digest: "d".repeat(64),
  templateDigest: "t".repeat(64),
  quantisation: null,
  contextLength: 4096,
  parallel: 8,
  license: null,
  gpuShare: null,
  warnings: [],
};

/** Answers `{"x": seed % 101}`; `text` and `before` change that. */
export function instantPolicy(
  change: {
    readonly text?: (seed: number) => string;
    readonly before?: (member: {
      index: number;
      seed: number;
    }) => Promise<"lost" | undefined> | "lost" | undefined;
  } = {},
): Policy {
  return {
    describe: async () => memoryPolicyInfo,
    plan: async (messages) => {
      const rendered = messages.map((message) => `${message.role}: ${message.content}`).join("\n");
      return { rendered, tokens: Math.ceil(rendered.length / 4) };
    },
    async *sample(_prompt, members, _options, signal) {
      for (const member of members) {
        signal.throwIfAborted();
        const fate = await change.before?.(member);
        const text = change.text?.(member.seed) ?? JSON.stringify({ x: member.seed % 101 });
        const reply: SampledReply = {
          index: member.index,
          seed: member.seed,
          text,
          tokens: [{ id: 1, text }],
          logprobs: [-1],
          finish: fate === "lost" ? "lost" : "stop",
          constrained: null,
          ms: 1,
        };
        yield reply;
      }
    },
    close: async () => undefined,
  };
}

/** Scores x itself; an x divisible by 7 crashes. `around` runs before each scoring. */
export function instantScorer(around?: (x: number, signal: AbortSignal) => Promise<void>): Scorer {
  return {
    async score({ solution }, signal) {
      const x = numberIn(solution);
      await around?.(x, signal);
      const crashed = x % 7 === 0;
      return {
        verdict: crashed ? "crash" : "scored",
        score: crashed ? null : x,
        quality: crashed ? 0 : x / 100,
        qualitySE: null,
        metrics: {},
        feedback: crashed ? `Traceback: ${x} is divisible by 7` : null,
        evidence: { run: null, score: null },
        cached: false,
        ms: 1,
      };
    },
  };
}

/** A machine where there is always room. */
export const roomyArbiter: Arbiter = {
  lease: async () => ({ gpus: [], release: () => undefined }),
};

export interface World {
  readonly context: LoopContext;
  readonly store: ReturnType<typeof createMemoryStore>;
}

/** A world with a root of x = 10 and a run of the given budget. */
export async function memoryWorld(
  change: {
    readonly store?: Store & { readonly log: string[] };
    readonly policy?: Policy;
    readonly scorer?: Scorer;
    readonly snapshots?: Snapshots;
    readonly iterations?: number;
    readonly run?: Partial<Run>;
    readonly settings?: Partial<Run["settings"]>;
    readonly task?: ResolvedTask;
    readonly checkSpace?: LoopContext["checkSpace"];
    readonly withModel?: LoopContext["withModel"];
  } = {},
): Promise<World> {
  const store = change.store ?? createMemoryStore();
  const snapshots = change.snapshots ?? memorySnapshots();
  const task = change.task ?? memoryTask();
  if (store.nodes().length === 0) {
    const root: Node = {
      ...{ id: "n1", task: task.id, parent: null, depth: 0, goal: null, verdict: "scored", score: 10 },
      ...{ quality: 0.1, qualitySE: null, group: null, policy: null, heldOut: false, feedback: null },
      snapshot: await snapshots.save(solutionOf(10), null),
      evaluator: task.evaluatorDigest,
    };
    store.addRoot(root);
  }
  const stored = store.runs().find((candidate) => candidate.id === (change.run?.id ?? "r1"));
  const run: Run = stored ?? {
    id: "r1",
    seed: 42,
    tasks: [task.id],
    strategy: "balanced",
    settings: { ...defaultSettings, capacity: 24, ...change.settings },
    budget: { iterations: change.iterations ?? 10, hours: null, tokens: null, target: null },
    startedAt: "2026-01-01T00:00:00Z",
    endedAt: null,
    endedBy: null,
    provenance: null,
    spent: nothingSpent,
    ...change.run,
  };
  if (stored === undefined) store.openRun(run);
  let ticks = 0;
  const context: LoopContext = {
    run,
    tasks: [task],
    policy: change.policy ?? instantPolicy(),
    policyInfo: memoryPolicyInfo,
    policyVersion: "instant@d#v0",
    snapshots,
    scorer: change.scorer ?? instantScorer(),
    store,
    observer: {},
    checkSpace: change.checkSpace ?? (async () => undefined),
    withModel: change.withModel ?? ((work) => work()),
    sha256,
    clock: { monotonic: () => ticks++, now: () => "2026-01-01T00:00:00Z" },
  };
  return { context, store };
}
