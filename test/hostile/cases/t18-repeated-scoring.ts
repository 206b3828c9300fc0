import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Each scoring tells something about the test set; the same revision must not get two answers. */
export default hostile({
  id: "T18",
  tries: "has the same revision scored again and again to learn the test set",
  promise: "one answer, remembered; no feedback holds a score",
  async play(stage) {
    const task = await stage.task();
    const results = [];
    for (let turn = 0; turn < 3; turn += 1) results.push(await stage.score(task, python("leave(0.25)")));
    stage.met.push(...results.map(({ verdict }) => verdict));
    assert.deepEqual(
      results.map(({ cached, score, feedback }) => [cached, score, feedback]),
      [
        [false, 0.25, null],
        [true, 0.25, null],
        [true, 0.25, null],
      ],
    );
    assert.equal(stage.stand.steps.taken.filter((step) => step.endsWith(" evaluated")).length, 1);
  },
});
