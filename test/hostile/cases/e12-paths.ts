import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Paths that lead out of the folder they are unpacked in, where somebody takes them at their word. */
export default hostile({
  id: "E12",
  tries: "outputs whose path leads out: linked folders, .., backslashes, line feeds",
  promise: "invalid or left out; outputs stay in their folder",
  play: [
    {
      name: "below a linked folder",
      revision: python(`os.symlink("/etc", "out"); os.path.exists("out/passwd") or 1 / 0`),
      task: { run: { outputs: ["out/passwd", "out/*"] } },
      expects: "invalid",
    },
    {
      name: "names",
      revision: python(`
for name in ("..\\\\..\\\\evil.csv", "C:\\\\evil.csv", "a\\nb.csv", "\\x1b[2J.csv", "..csv", "...csv", "-rf.csv", "~.csv", "$(id).csv", "a b.csv"):
    leave(0.9, name)
leave(0.5)`),
      task: { run: { outputs: ["*.csv"] } },
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) =>
        assert.deepEqual(
          listed(seen).filter((path) => !plainFiles.includes(path)),
          ["$(id).csv", "-rf.csv", "...csv", "..csv", "a b.csv", "~.csv"],
        ),
    },
  ],
});
