import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** No comparison with it is true, so a careless one makes it the best of all. */
export default hostile({
  id: "T14",
  tries: "a score that is not a number",
  promise: "invalid, whichever way is better",
  play: [{ metric: {} }, { metric: { direction: "minimize", worst: 1, best: 0 } }].map((task, index) => ({
    name: index === 0 ? "maximise" : "minimise",
    revision: python(`leave("NaN")`),
    task,
    rootFirst: true,
    expects: "invalid" as const,
    holds: ({ result }) => assert.deepEqual([result.score, result.quality], [null, 0]),
  })),
});
