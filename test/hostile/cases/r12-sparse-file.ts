import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Sparse files cost nothing to write and their whole length to read. */
export default hostile({
  id: "R12",
  tries: "sparse files as outputs: one of a terabyte, many just below the limit",
  promise: "crash, as nothing was written; invalid, since outputs are counted by their length",
  play: [
    {
      name: "a terabyte",
      revision: python(`os.truncate(os.open("out.csv", os.O_CREAT | os.O_WRONLY), 2**40)`),
      expects: "crash",
    },
    {
      name: "many",
      revision: python(`
for index in range(40): os.truncate(os.open(f"out{index}.csv", os.O_CREAT | os.O_WRONLY), 15 * 2**20)`),
      task: { run: { outputs: ["*.csv"] } },
      expects: "invalid",
      holds: ({ result }) => assert.match(result.feedback ?? "", /larger than/),
    },
  ],
});
