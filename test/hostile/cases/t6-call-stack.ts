import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Walks frames, modules and every live object for an answer that somebody left in its process. */
export default hostile({
  id: "T6",
  tries: "walks the call stack and all objects for the reference answer",
  promise: "scored; nothing of the evaluator's is in its process",
  play: [
    {
      revision: python(`
import gc
frame, depth = sys._getframe(), 0
while frame: depth += 1; frame = frame.f_back
word = "label" + "s,canary"
hits = [item for item in gc.get_objects() if isinstance(item, (list, tuple, dict)) and word in repr(item)[:10**5] and item is not globals() and len(item) < 40]
tell(depth, len([item for item in hits if isinstance(item, list)]), sorted(name for name in sys.modules if "score" in name or "label" in name))
tell(os.getppid() <= 7, sys.argv)
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, "1 0 []\nTrue ['solution/main.py']\n"),
    },
  ],
});
