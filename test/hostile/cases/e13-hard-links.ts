import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Two names of one file arrive as a file and a link; the link must not be made again on the host. */
export default hostile({
  id: "E13",
  tries: "hard links: to inputs, to the solution, between outputs",
  promise: "scored; the first name is a file, a second one is left out",
  play: [
    {
      revision: python(`
attempt("input", lambda: os.link("data/public.csv", "a.csv"))
attempt("password file", lambda: os.link("/etc/passwd", "b.csv"))
leave(0.5)
os.link("out.csv", "same.csv")
os.mkfifo("pipe.csv")
os.symlink("out.csv", "soft.csv")`),
      task: { run: { outputs: ["*.csv"] } },
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) => {
        assert.doesNotMatch(seen.stdout, /GOT/);
        assert.deepEqual(listed(seen), plainFiles);
      },
    },
  ],
});
