/** What the cases share that are played with whole runs: a workspace that is ready to run, and a scripted model. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readHistory } from "./history.ts";
import { leftBehind } from "./left-behind.ts";
import { beginLives, type Lives, type RunPlan } from "./life.ts";
import { startScriptedModel } from "./scripted-model.ts";
import { makeWorkspace } from "./workload.ts";

export interface Scene {
  /** A copy of the workspace, and the run to be made in it. */
  begin(seed: number): Lives;
  /** The record of that run, undisturbed, and the writes it took. */
  undisturbed(
    seed: number,
  ): Promise<{ readonly record: unknown; readonly trace: ReturnType<Lives["trace"]> }>;
}

/** @param iterations of every run */
export async function withScene<T>(iterations: number, play: (scene: Scene) => Promise<T>): Promise<T> {
  const model = await startScriptedModel();
  const state = mkdtempSync(join(tmpdir(), "exit-ml-chaos-state-"));
  const stateBefore = process.env.XDG_STATE_HOME;
  // Leases of other runners on this machine are none of its business.
  process.env.XDG_STATE_HOME = state;
  const workspace = makeWorkspace();
  const planOf = (seed: number): RunPlan => ({ model, seed, iterations });
  const template = beginLives(workspace, planOf(0));
  const begin = (seed: number): Lives => beginLives(template.folder, planOf(seed));
  try {
    // Tries the engine and audits the task once, for all the copies.
    await template.visit((client) => client.call("check", { task: null }));
    return await play({
      begin,
      async undisturbed(seed) {
        const calm = begin(seed);
        try {
          await calm.live(null);
          assert.deepEqual(await leftBehind(calm.folder), []);
          return { record: readHistory(calm.folder).record, trace: calm.trace() };
        } finally {
          calm.remove();
        }
      },
    });
  } finally {
    await model.stop();
    template.remove();
    for (const folder of [workspace, state]) rmSync(folder, { recursive: true, force: true });
    if (stateBefore === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = stateBefore;
  }
}

/** Plays one run under a fault; then it must have come to the same as without, and have left nothing. */
export function playRun(seed: number, fault: (lives: Lives) => Promise<void>): Promise<void> {
  return withScene(3, async (scene) => {
    const { record } = await scene.undisturbed(seed);
    const lives = scene.begin(seed);
    try {
      await fault(lives);
      assert.deepEqual(readHistory(lives.folder).record, record, "the run came to something else");
      assert.deepEqual(await leftBehind(lives.folder), []);
    } finally {
      lives.remove();
    }
  });
}
