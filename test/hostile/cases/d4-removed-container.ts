import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";
import type { Stage } from "../stage.ts";

async function removedTimes(stage: Stage, times: number): Promise<string> {
  const task = await stage.task({ run: { timeout: "60s" } });
  const before = stage.stand.steps.taken.filter((step) => step.endsWith(" started")).length;
  const waiting = python(`time.sleep(2.5)\nleave(0.5)\n# ${times}`);
  const scoring = stage.score(task, waiting);
  for (let count = 1; count <= times; count += 1) {
    await stage.stand.steps.reached(" started", before + count);
    await stage.stand.removeRunning();
  }
  const { verdict } = await scoring;
  stage.met.push(verdict);
  return verdict;
}

/** Somebody else removes the container of a revision that is under way: once, then at every attempt. */
export default hostile({
  id: "D4",
  tries: "somebody removes the container in the middle of a run",
  promise: "run again once and scored; infra when it happens again",
  async play(stage) {
    assert.equal(await removedTimes(stage, 1), "scored");
    assert.equal(await removedTimes(stage, 2), "infra");
  },
});
