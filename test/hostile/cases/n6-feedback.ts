import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";
import { canary } from "../stage.ts";

const talkative = `import sys
label = open("data/labels.csv").read()
value = open("out.csv").read()
if value == "crash": raise ValueError("expected " + label)
if value == "print": print("debug", label)
print('{"score": ' + value + ', "metrics": {"hidden_mean": 0.3}}')
`;

/** What the evaluator says by accident must not become part of the next prompt. */
export default hostile({
  id: "N6",
  tries: "makes the evaluator tell about labels in tracebacks and debug lines",
  promise: "invalid; the feedback for the model is a fixed sentence",
  play: ["crash", "print"].map((value) => ({
    name: value,
    revision: python(`leave("${value}")`),
    workspace: { "score.py": talkative },
    rootFirst: true,
    expects: "invalid" as const,
    holds: ({ result }) => {
      assert.equal(result.feedback, "The outputs of the run could not be evaluated.");
      assert.doesNotMatch(result.feedback, new RegExp(canary));
      assert.deepEqual(result.metrics, {});
    },
  })),
});
