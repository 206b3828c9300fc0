import assert from "node:assert/strict";
import { chmodSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { hostile, python } from "../case.ts";

/** Data about the data: times, modes and owners of files may be ordered by what they hold. */
export default hostile({
  id: "T20",
  tries: "reads the answer from times, modes and owners of the input files",
  promise: "scored; inputs are copies that tell nothing but their bytes",
  play: [
    {
      prepare: (folder) => {
        const file = join(folder, "data/public.csv");
        chmodSync(file, 0o640);
        utimesSync(file, 981_173_106, 981_173_106);
      },
      revision: python(`
info = os.stat("data/public.csv")
tell(oct(info.st_mode), info.st_mtime < 10**9, os.listxattr("data/public.csv"))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, "0o100644 False []\n"),
    },
  ],
});
