import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const fileWriting = `import json, os
assert not os.path.exists("/tmp/score.json")
open("/tmp/score.json", "x").write(json.dumps({"score": float(open("out.csv").read())}))
print(open("/tmp/score.json").read())
`;

/** The file is there before the evaluator writes it, or cannot be written. */
export default hostile({
  id: "T8",
  tries: "writes the score file before the evaluator does, read-only or as a folder",
  promise: "scored by the evaluator's own file",
  play: [
    {
      revision: python(`
for path in ("score.json", "score.txt", "results/score.json", "/tmp/score.json", "/dev/shm/score.json"):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    leave('{"score": 0.9}', path); os.chmod(path, 0o444)
os.makedirs("metrics.json")
leave(0.25)`),
      task: { run: { outputs: ["**"] } },
      workspace: { "score.py": fileWriting },
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
  ],
});
