import assert from "node:assert/strict";
import { files, hostile } from "../case.ts";

/** The shortest revision there is. */
export default hostile({
  id: "R29",
  tries: "ends at once with exit code 0 and no output",
  promise: "invalid, not a score of 0",
  play: [
    {
      revision: files({ "solution/main.py": "" }),
      expects: "invalid",
      holds: ({ result }) => assert.equal(result.score, null),
    },
  ],
});
