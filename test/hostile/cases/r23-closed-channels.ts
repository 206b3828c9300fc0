import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Whoever takes the end of the stream for the end of the run is wrong here. */
export default hostile({
  id: "R23",
  tries: "closes its channels and goes on, to the end or for ever",
  promise: "scored when it ends well; timeout when it does not",
  play: [
    {
      name: "ends",
      revision: python(`
tell("last words")
for number in (0, 1, 2): os.close(number)
time.sleep(1)
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, "last words\n"),
    },
    {
      name: "never ends",
      revision: python(`
for number in (0, 1, 2): os.close(number)
time.sleep(10**6)`),
      task: { run: { timeout: "2s" } },
      expects: "timeout",
    },
  ],
});
