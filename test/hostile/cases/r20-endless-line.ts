import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Whoever gathers whole lines gathers a hundred megabytes here. */
export default hostile({
  id: "R20",
  tries: "prints 100 MB in one line",
  promise: "output_limit; memory stays flat",
  alone: true,
  play: [
    {
      revision: python(`
for _ in range(100): os.write(1, b"y" * 10**6)
leave(0.9)`),
      expects: "output_limit",
      holds: ({ stdout }) => assert.ok(stdout.length < 70_000),
    },
  ],
});
