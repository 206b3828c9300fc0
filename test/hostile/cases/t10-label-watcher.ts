import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Waits until somebody brings the labels, then copies them into its predictions. */
export default hostile({
  id: "T10",
  tries: "waits in the background for the labels to appear",
  promise: "scored; labels come into a container that never saw it",
  play: [
    {
      revision: python(`
leave(0.25)
if os.fork() == 0:
    os.setsid()
    for number in (0, 1, 2): os.close(number)
    while True:
        for path in glob.glob("/work/data/labels*") + glob.glob("/work/score.py"): leave(0.9)
        time.sleep(0.001)
time.sleep(0.5)
tell(sorted(os.listdir("data")))`),
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) => {
        assert.equal(seen.stdout, "['public.csv']\n");
        assert.equal(seen.result.score, 0.25);
        assert.deepEqual(listed(seen), plainFiles);
      },
    },
  ],
});
