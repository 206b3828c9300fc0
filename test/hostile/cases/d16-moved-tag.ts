import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** The name of the image goes away, as at a pull of the next version. */
export default hostile({
  id: "D16",
  tries: "the image's tag is taken away between two runs",
  promise: "scored; containers are made from the content that was there at the start",
  async play(stage) {
    const tag = await stage.stand.tag();
    try {
      const task = await stage.task({ sandbox: { image: tag.name } });
      const before = await stage.score(task, python("leave(0.3)"));
      await tag.remove();
      const after = await stage.score(task, python("leave(0.4)"));
      stage.met.push(before.verdict, after.verdict);
      assert.deepEqual([before.score, after.score], [0.3, 0.4]);
    } finally {
      await tag.remove();
    }
  },
});
