import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A daemon in a session of its own wants to outlive the run and rewrite the output. */
export default hostile({
  id: "R17",
  tries: "double fork and setsid: a daemon outlives the parent's exit 0",
  promise: "scored as the parent left it; the daemon is gone",
  play: [
    {
      revision: python(`
leave(0.25)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (0, 1, 2): os.close(number)
        time.sleep(0.5)
        while True: leave(0.9)
    os._exit(0)
os.wait()`),
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
  ],
});
