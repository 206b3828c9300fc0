/** Model and revisions that want the same GPUs take turns; where they do not, nothing waits. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createArbiter } from "../../../src/adapters/leases/arbiter.ts";
import { modelTurns } from "../../../src/app/gpu-turns.ts";
import { runLoop } from "../../../src/core/loop.ts";
import type { Arbiter } from "../../../src/core/ports.ts";
import { instantPolicy, instantScorer, memoryTask, memoryWorld } from "../../support/memory-world.ts";

const never = new AbortController().signal;
const capacity = { cpus: 8, memory: 2 ** 34, gpus: ["0", "1"] };

function wantsGpus(gpus: number) {
  const task = memoryTask();
  const sandbox = { ...task.definition.sandbox, gpus };
  return { ...task, definition: { ...task.definition, sandbox } };
}

test("no revision has a GPU while a group is sampled, and the model is unloaded in between", async () => {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-turns-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const arbiter = createArbiter({ folder, capacity: async () => capacity });
  let loaded = false;
  let sampling = 0;
  let scoring = 0;
  const problems: string[] = [];
  const policy = {
    ...instantPolicy({
      before: async () => {
        loaded = true;
        sampling++;
        await new Promise(setImmediate);
        if (scoring > 0) problems.push("sampled while a revision had a GPU");
        sampling--;
        return undefined;
      },
    }),
    unload: async () => {
      loaded = false;
    },
  };
  const scorer = instantScorer(async (_, signal) => {
    const lease = await arbiter.lease({ cpus: 1, memory: 1, gpus: 1 }, "revision", signal);
    scoring++;
    if (loaded || sampling > 0) problems.push("scored while the model was loaded");
    await new Promise(setImmediate);
    scoring--;
    lease.release();
  });
  const withModel = modelTurns({
    ...{ tasks: [wantsGpus(1)], policy, policyInfo: { gpuShare: 1 }, arbiter, capacity },
  });
  const { context } = await memoryWorld({ iterations: 4, policy, scorer, withModel });
  expect(await runLoop(context, never)).toBe("iterations");
  expect(problems).toEqual([]);
});

test.each([
  ["revisions without a GPU", 0, 1],
  ["a model on the processor", 1, 0],
])("%s: no turns are taken", async (_, gpus, gpuShare) => {
  const fakeArbiterThatRefuses: Arbiter = { lease: () => Promise.reject(new Error("a lease was asked for")) };
  const withModel = modelTurns({
    ...{ tasks: [wantsGpus(gpus)], policy: {}, policyInfo: { gpuShare }, capacity },
    arbiter: fakeArbiterThatRefuses,
  });
  expect(await withModel(async () => "done", never)).toBe("done");
});
