/** A sandbox of the product with an unreliable link to its engine, for one case. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDockerSandbox } from "../../../src/adapters/docker/sandbox.ts";
import type { ResolvedTask, RunOutcome, Sandbox, Solution } from "../../../src/core/ports.ts";
import {
  leftovers,
  makeTask,
  never,
  owner,
  requestFor,
  type TaskParts,
} from "../../adapters/docker/trial.ts";
import { mkdirIn } from "../../hostile/conformance.ts";
import { followSteps, type Steps } from "../../hostile/reaching.ts";
import { type OwnEngine, startOwnEngine } from "./own-engine.ts";
import { type EngineProxy, startProxy } from "./proxy.ts";

export interface Rig {
  /** Between the sandbox and the engine. */
  readonly proxy: EngineProxy;
  readonly sandbox: Sandbox;
  readonly steps: Steps;
  /** A folder of ours, removed with the rig. */
  readonly folder: string;
  task(parts?: TaskParts): ResolvedTask;
  run(task: ResolvedTask, solution: Solution): Promise<RunOutcome>;
  /** How many attempts were begun. */
  attempts(): number;
  /** What a finished revision wrote to `out.csv`. */
  output(ran: { readonly folder: string }): string;
}

export interface OwnRig extends Rig {
  readonly engine: OwnEngine;
}

/** Plays on an engine of its own; afterwards the sandbox must have left nothing in it. */
export async function onOwnEngine(
  play: (rig: OwnRig) => Promise<void>,
  prepare?: Parameters<typeof startOwnEngine>[0],
): Promise<void> {
  const engine = await startOwnEngine(prepare);
  try {
    await withSandbox(engine.socket, (rig) => play({ ...rig, engine }));
    assert.deepEqual(await engine.holds(), [], "left behind in the engine");
  } finally {
    await engine.close();
  }
}

/** Plays on the engine of this machine, for faults that leave it unharmed. */
export async function onUsualEngine(play: (rig: Rig) => Promise<void>): Promise<void> {
  const workspaceId = randomUUID();
  await withSandbox("/var/run/docker.sock", play, workspaceId);
  assert.deepEqual(
    await leftovers(workspaceId),
    { containers: [], volumes: [] },
    "left behind in the engine",
  );
}

async function withSandbox(
  engineSocket: string,
  play: (rig: Rig) => Promise<void>,
  workspaceId: string = randomUUID(),
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-chaos-"));
  const proxy = await startProxy(join(folder, "proxy.sock"), engineSocket);
  const steps = followSteps();
  const sandbox = createDockerSandbox({
    ...{ workspaceId, owner, socket: proxy.socket, journal: steps.journal },
    outputsFolder: mkdirIn(folder, "outputs"),
  });
  const tasks = mkdirIn(folder, "task");
  try {
    await play({
      ...{ proxy, sandbox, steps, folder },
      task: (parts) => makeTask(tasks, parts),
      run: (task, solution) => sandbox.run(requestFor(task, solution), never),
      attempts: () => steps.taken.filter((step) => step.endsWith(" intent")).length,
      output: (ran) => readFileSync(join(ran.folder, "out.csv"), "utf8"),
    });
    await sandbox.close();
  } finally {
    await sandbox.close().catch(() => undefined);
    await proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
