import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** The direction is the user's and is said twice; a task that contradicts itself is refused. */
export default hostile({
  id: "T16",
  tries: "a large error where small is good; a task that does not know its direction",
  promise: "scored by the declared direction; a contradiction is refused",
  play: [
    {
      name: "minimise",
      revision: python("leave(0.9)"),
      task: { metric: { direction: "minimize", worst: 1, best: 0 } },
      expects: "scored",
      holds: ({ result }) => assert.ok(Math.abs((result.quality ?? 0) - 0.1) < 1e-9),
    },
    {
      name: "contradiction",
      revision: python("leave(0.9)"),
      task: { metric: { direction: "minimize", worst: 0, best: 1 } },
      expects: { refusal: "task-invalid" },
    },
  ],
});
