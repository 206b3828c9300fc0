/** When the sandbox is tried, and when what is known of it is enough. */
import { expect, test } from "vitest";
import type { RunRequest } from "../../../src/app/app.ts";
import { startRun } from "../../../src/app/run.ts";
import type { RunParts } from "../../../src/app/run-parts.ts";
import { selfTestForRun, selfTestForScore } from "../../../src/app/self-tests.ts";
import type { Guarantee, GuaranteeName } from "../../../src/core/guarantees.ts";
import type { Run } from "../../../src/core/history.ts";
import type { Sandbox, SandboxInfo } from "../../../src/core/ports.ts";
import type { RunEvent } from "../../../src/core/reports.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import {
  instantPolicy,
  instantScorer,
  memoryPolicyInfo,
  memorySnapshots,
  memoryTask,
  memoryWorld,
  roomyArbiter,
  sha256,
  solutionOf,
} from "../../support/memory-world.ts";

const never = new AbortController().signal;
const info: SandboxInfo = {
  ...{ engine: "unix:///e", version: "1", boundary: "runc", image: "i", imageDigest: "d", warnings: [] },
};
const clock = { monotonic: () => 0, now: () => "2030-01-01T00:00:00Z" };
const held = (guarantee: GuaranteeName, is: boolean): Guarantee => ({
  guarantee,
  held: is,
  measured: "tried",
});

/** A sandbox whose guarantees are given. */
function fakeSandbox(guarantees: Guarantee[]) {
  let tried = 0;
  const sandbox = {
    describe: async () => info,
    resources: async () => ({ cpus: 8, memory: 2 ** 36, gpus: [], dataFolder: null }),
    selfTest: async () => {
      tried += 1;
      return [...guarantees];
    },
  } as unknown as Sandbox;
  return { sandbox, tried: () => tried };
}

test("an engine is tried once for an image, and again after either changed", async () => {
  const { sandbox, tried } = fakeSandbox([held("memory-limit", true)]);
  const parts = { sandbox, store: createMemoryStore(), clock, sha256 };
  const trying = () => undefined;
  const first = await selfTestForRun(memoryTask(), info, parts, trying, never);
  expect(await selfTestForRun(memoryTask(), info, parts, trying, never)).toEqual(first);
  expect(await selfTestForScore(memoryTask(), info, parts, never)).toEqual(first);
  expect(tried()).toBe(1);
  await selfTestForRun(memoryTask(), { ...info, version: "2" }, parts, trying, never);
  await selfTestForRun(memoryTask(), { ...info, imageDigest: "e" }, parts, trying, never);
  expect(tried()).toBe(3);
});

test("what was missing is tried again for a run, not for a score", async () => {
  const guarantees = [held("memory-limit", false)];
  const { sandbox, tried } = fakeSandbox(guarantees);
  const parts = { sandbox, store: createMemoryStore(), clock, sha256 };
  const before = await selfTestForScore(memoryTask(), info, parts, never);
  await selfTestForScore(memoryTask(), info, parts, never);
  expect(tried()).toBe(1);
  guarantees.splice(0, 1, held("memory-limit", true));
  const after = await selfTestForRun(memoryTask(), info, parts, () => undefined, never);
  expect(tried()).toBe(2);
  expect(after.digest).not.toBe(before.digest);
  expect(await selfTestForScore(memoryTask(), info, parts, never)).toEqual(after);
});

const request: RunRequest = {
  ...{ tasks: ["tiny"], all: false, strategy: "balanced", settings: {}, runtime: null, model: null },
  ...{ endpoint: null, fresh: false, allowMissing: [], seed: 1 },
  budget: { iterations: 1, hours: null, tokens: null, target: null },
};

/** @param unfinished a run to go on with */
async function runParts(guarantees: Guarantee[], unfinished: Partial<Run> = { endedAt: clock.now() }) {
  const { store } = await memoryWorld({ iterations: 1, run: unfinished });
  store.setAuditPassed("tiny", "e0");
  const events: RunEvent[] = [];
  const parts: RunParts = {
    ...{ store, clock, sha256, snapshots: memorySnapshots() },
    workspace: {
      folder: "/w",
      tasks: async () => ({ tasks: [{ name: "tiny", file: "exit.task.json" }], problems: [] }),
      resolve: async () => memoryTask(),
      holdout: async () => null,
      solution: async () => solutionOf(10),
      solutionIn: async () => [],
      write: async () => undefined,
    },
    emit: (event) => void events.push(event),
    sandbox: async () => fakeSandbox(guarantees).sandbox,
    scorer: async () => instantScorer(),
    arbiter: roomyArbiter,
    freeBytes: async () => null,
    stateFolders: [],
    openPolicy: async () => instantPolicy(),
    watch: async () => ({ close: async () => undefined }),
  };
  return { parts, events, store };
}

test("a run under a missing guarantee is refused before anything is scored or opened", async () => {
  const { parts, store } = await runParts([held("pids-limit", false)]);
  const start = startRun(request, { ...parts, scorer: () => Promise.reject(new Error("scored")) }, never);
  await expect(start).rejects.toMatchObject({ reason: "guarantee-missing" });
  expect(store.runs()).toHaveLength(1);
});

test("a guarantee allowed by name is told, and recorded in the run with what was found", async () => {
  const { parts, events, store } = await runParts([held("pids-limit", false)]);
  const { active } = await startRun({ ...request, allowMissing: ["pids-limit"] }, parts, never);
  await active.ended;
  const provenance = store.runs().at(-1)?.provenance;
  expect(provenance).toMatchObject({
    allowedMissing: ["pids-limit"],
    selfTests: [{ image: "d", guarantees: [{ guarantee: "pids-limit", held: false }] }],
  });
  const started = events.find((event) => event.type === "runStarted");
  expect(started?.sandbox.warnings).toEqual([expect.stringContaining("pids-limit is missing")]);
});

test("what is allowed when a run goes on is added to its record", async () => {
  const { parts, store } = await runParts([held("pids-limit", false)], {
    provenance: { policy: memoryPolicyInfo, sandbox: info, selfTests: [], allowedMissing: ["gpu"] },
  });
  const { active, continued } = await startRun({ ...request, allowMissing: ["pids-limit"] }, parts, never);
  await active.ended;
  expect(continued).toBe(true);
  expect(store.runs().map((run) => run.provenance?.allowedMissing)).toEqual([["gpu", "pids-limit"]]);
});
