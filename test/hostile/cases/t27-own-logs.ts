import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Removes what it has written and said. */
export default hostile({
  id: "T27",
  tries: "deletes or overwrites its logs and artefacts afterwards",
  promise: "invalid without the artefact; what was printed stays recorded",
  play: [
    {
      revision: python(`
tell("accuracy 0.1")
leave(0.9)
os.write(1, b"\\x1b[1A\\x1b[2K\\raccuracy 0.9\\n")
for path in ("/proc/self/fd/1", "/dev/stdout"):
    try: os.truncate(path, 0)
    except OSError: pass
os.remove("out.csv")`),
      expects: "invalid",
      holds: ({ stdout }) => assert.match(stdout, /^accuracy 0\.1\n/),
    },
  ],
});
