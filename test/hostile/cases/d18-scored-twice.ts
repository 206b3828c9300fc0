import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** The same revision is asked about by several at the same moment. */
export default hostile({
  id: "D18",
  tries: "one result is asked for many times at once",
  promise: "scored; it is run once and everybody gets that",
  async play(stage) {
    const task = await stage.task();
    const solution = python("leave(time.time() % 1 * 0.9)");
    const results = await Promise.all([1, 2, 3, 4].map(() => stage.score(task, solution)));
    stage.met.push(...results.map(({ verdict }) => verdict));
    assert.equal(new Set(results.map(({ score }) => score)).size, 1);
    assert.equal(results.filter(({ cached }) => !cached).length, 1);
    assert.equal(stage.stand.steps.taken.filter((step) => step.endsWith(" exited")).length, 1);
  },
});
