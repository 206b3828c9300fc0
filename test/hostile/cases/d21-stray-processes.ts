import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Runs with many processes are given up at once; the suite then looks for processes without a container. */
export default hostile({
  id: "D21",
  tries: "runs full of processes are broken off",
  promise: "nothing of them is left: no container, no process outside one",
  async play(stage) {
    const task = await stage.task();
    for (const [index, key] of ["a", "b", "c"].entries()) {
      const controller = new AbortController();
      const crowd = python(
        `# ${index}\nfor _ in range(4): os.fork()\nos.setsid() if os.fork() == 0 else 0\ntime.sleep(10**6)`,
      );
      const scoring = stage.score(task, crowd, { key, signal: controller.signal });
      await stage.stand.steps.reached(`${key} started`);
      controller.abort(new Error("enough"));
      await assert.rejects(scoring, /enough/);
    }
    stage.met.push("aborted");
  },
});
