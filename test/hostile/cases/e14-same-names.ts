import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Names that some file system takes for one, so that the second file replaces the first. */
export default hostile({
  id: "E14",
  tries: "outputs whose names differ in case or composition only, or shadow the evaluator's",
  promise: "invalid where two outputs collide; left out where they would replace the evaluator's files",
  play: [
    {
      name: "case",
      revision: python(`leave(0.5); leave(0.9, "OUT.csv")`),
      task: { run: { outputs: ["*.csv"] } },
      expects: "invalid",
    },
    {
      name: "composition",
      revision: python(`leave(0.5); leave(0.1, "\\u00e9.csv"); leave(0.9, "e\\u0301.csv")`),
      task: { run: { outputs: ["*.csv"] } },
      expects: "invalid",
    },
    {
      name: "the evaluator's",
      revision: python(`
for name in ("Score.py", "SCORE.PY", "Data/Labels.csv", "data.csv/x"):
    try:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        leave(0.9, name)
    except OSError: pass
leave(0.5)`),
      task: { run: { outputs: ["**/*"] } },
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) =>
        assert.deepEqual(
          listed(seen).filter((path) => path !== "data.csv/x"),
          plainFiles,
        ),
    },
  ],
});
