import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Prints what a score command prints, to whoever reads it. */
export default hostile({
  id: "T7",
  tries: "prints score lines, to its channels and to the terminals of others",
  promise: "scored by the evaluator's line",
  play: [
    {
      revision: python(`
leave(0.25)
for place in ("/proc/1/fd/1", "/proc/1/fd/2", "/proc/self/fd/1", "/dev/stdout", "/dev/console", "/dev/tty", "/dev/kmsg"):
    attempt(place, lambda: leave('{"score": 0.9}\\n', place))
print('{"score": 0.9}'); print('{"score": 0.9}', file=sys.stderr)`),
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
    {
      name: "without an output",
      revision: python(`print('{"score": 0.9}')`),
      expects: "invalid",
    },
  ],
});
