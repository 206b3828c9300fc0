import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** The score command or its data change between two scorings of one revision. */
export default hostile({
  id: "D19",
  tries: "score command, labels or inputs change in the middle of the night",
  promise: "scored anew; no answer of the old evaluator is reused",
  async play(stage) {
    const revision = python(`leave(open("data/public.csv").read().strip())`);
    const double = `print('{"score": ' + str(float(open("out.csv").read()) / 2) + "}")\n`;
    const scores: unknown[] = [];
    const labels = { "data/labels.csv": "other\n" };
    for (const files of [{}, { "score.py": double }, labels, { "data/public.csv": "0.3\n" }, {}]) {
      const { verdict, score, cached } = await stage.score(await stage.task({}, files), revision);
      stage.met.push(verdict);
      scores.push([score, cached]);
    }
    assert.deepEqual(scores, [
      [0.5, false],
      [0.25, false],
      [0.5, false],
      [0.3, false],
      [0.5, true],
    ]);
  },
});
