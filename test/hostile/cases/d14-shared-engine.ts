import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Two installations share an engine; one of them starts up and removes what a dead process of its own left. */
export default hostile({
  id: "D14",
  tries: "another installation on the same engine cleans up",
  promise: "scored; only containers of the same owner and workspace are removed",
  async play(stage) {
    const task = await stage.task();
    const other = await stage.stand.beside();
    const solution = python("time.sleep(2)\nleave(0.4)");
    const request = { key: "k", run: null, task, snapshot: "s", isRoot: false, solution };
    const theirs = other.scorer.score(request, new AbortController().signal);
    await other.steps.reached(" started");
    await stage.stand.sandbox.reap();
    const result = await theirs;
    stage.met.push(result.verdict);
    assert.deepEqual([result.verdict, result.score], ["scored", 0.4]);
    // One run and one evaluation: neither was made again.
    assert.equal(other.steps.taken.filter((step) => step.endsWith(" intent")).length, 2);
  },
});
