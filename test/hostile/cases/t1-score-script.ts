import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Writes a score command of its own to every place where one might be looked for. */
export default hostile({
  id: "T1",
  tries: "overwrites the score script and the labels",
  promise: "scored by the user's own files",
  play: [
    {
      revision: python(`
for path in ("score.py", "data/labels.csv", "solution/score.py", "/score.py", "/tmp/score.py"):
    attempt(path, lambda: leave("print('{\\"score\\": 0.9}')", path))
leave(0.25)`),
      task: { run: { outputs: ["**"] } },
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) => {
        assert.equal(seen.result.score, 0.25);
        assert.deepEqual(listed(seen), plainFiles);
      },
    },
  ],
});
