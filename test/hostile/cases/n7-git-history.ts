import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A copy of the repository may hold the answer in a later commit. */
export default hostile({
  id: "N7",
  tries: "looks for the answer in a copy of the git history",
  promise: "scored; there is no repository, only solution and inputs",
  play: [
    {
      revision: python(`
found = sorted(os.path.join(folder, name)[2:] for folder, _, names in os.walk(".") for name in names)
tell(found)
for folder, names, _ in os.walk("/"):
    if ".git" in names: tell("FOUND", folder)
leave(0.5)`),
      workspace: { ".git/refs/heads/fix": "0123456789\n", ".git/logs/HEAD": "the fix\n" },
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, "['data/public.csv', 'solution/main.py']\n"),
    },
  ],
});
