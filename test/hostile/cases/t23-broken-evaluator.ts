import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const fragile = `import sys, time
value = open("out.csv").read()
if value == "hang": time.sleep(10**6)
if value == "die": import os; os.kill(os.getpid(), 9)
print('{"score": ' + str(float(value)) + "}")
`;
const alwaysBroken = 'raise RuntimeError("no labels here")\n';

/** Outputs that break the score command, in the hope of a default; and one that is broken for everybody. */
export default hostile({
  id: "T23",
  tries: "makes the evaluator crash, hang or die so that a default applies",
  promise: "invalid while the root still scores; evaluator-broken when it does not",
  play: [
    ...["crash", "hang", "die"].map((value) => ({
      name: value,
      revision: python(`leave("${value}")`),
      task: { score: { timeout: "5s" } },
      workspace: { "score.py": fragile },
      rootFirst: true,
      expects: "invalid" as const,
      holds: ({ result }: { result: { score: number | null } }) => assert.equal(result.score, null),
    })),
    ...[0.1, 0.2, 0.3].map((value, index) => ({
      name: `broken for everybody, time ${index + 1}`,
      revision: python(`leave(${value})`),
      workspace: { "score.py": alwaysBroken },
      expects: index < 2 ? ("invalid" as const) : { refusal: "evaluator-broken" },
    })),
  ],
});
