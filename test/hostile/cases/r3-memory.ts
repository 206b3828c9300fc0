import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Takes and touches memory until the kernel ends it. */
export default hostile({
  id: "R3",
  tries: "allocates past its memory limit",
  promise: "oom",
  play: [
    {
      revision: python(`
held = []
while True: held.append(bytearray(2**23))`),
      expects: "oom",
      holds: ({ result }) => assert.equal(result.evidence.run?.oomKilled, true),
    },
  ],
});
