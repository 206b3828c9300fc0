import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A child dies of memory, the parent leaves a good output and exits with 0. */
export default hostile({
  id: "R4",
  tries: "a child dies of memory behind exit code 0 and a good output",
  promise: "oom, not scored",
  play: [
    {
      revision: python(`
leave(0.9)
if os.fork() == 0:
    held = []
    while True: held.append(bytearray(2**23))
os.wait()`),
      expects: "oom",
      holds: ({ result }) => assert.equal(result.evidence.run?.exitCode, 0),
    },
  ],
});
