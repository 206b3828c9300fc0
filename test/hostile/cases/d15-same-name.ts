import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A trial is begun again under its own name while the engine still holds what the first attempt left. */
export default hostile({
  id: "D15",
  tries: "a trial is made again under the same name",
  promise: "scored; the name is the key, leftovers of it are replaced",
  async play(stage) {
    const task = await stage.task();
    const controller = new AbortController();
    const slow = python("time.sleep(10**6)");
    const first = stage.score(task, slow, { key: "same", signal: controller.signal });
    await stage.stand.steps.reached("same started");
    controller.abort(new Error("given up"));
    await assert.rejects(first, /given up/);
    const result = await stage.score(task, python("leave(0.3)"), { key: "same" });
    stage.met.push(result.verdict);
    assert.deepEqual([result.verdict, result.score], ["scored", 0.3]);
  },
});
