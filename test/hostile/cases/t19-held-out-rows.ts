import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Answers by row number are right for rows it has seen; the held-out ones are not there to be seen. */
export default hostile({
  id: "T19",
  tries: "hard-codes the answers for the rows it sees, looks for the held-out ones",
  promise: "scored on the rows it saw; files of the holdout are in neither container",
  play: [
    {
      revision: python(`
tell([path for path in glob.glob("/work/**/*", recursive=True) if "final" in path])
leave(0.5)`),
      workspace: {
        "data/final.csv": "0.7\n",
        "score.py": `import glob, sys
print(glob.glob("**/*final*", recursive=True), file=sys.stderr)
print('{"score": ' + open("out.csv").read() + "}")
`,
      },
      task: {
        run: { inputs: ["data/*.csv"] },
        holdout: { replace: { "data/public.csv": "data/final.csv" } },
      },
      expects: "scored",
      holds: ({ stdout, evaluator }) => assert.deepEqual([stdout, evaluator], ["[]\n", "[]\n"]),
    },
  ],
});
