import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Looks for any place outside its own three in which it could write. */
export default hostile({
  id: "R8",
  tries: "fills the image's own file system",
  promise: "scored; nothing but /work, /tmp and memory files is writable",
  play: [
    {
      revision: python(`
own = ("/proc", "/work", "/tmp", "/dev/shm", "/dev/mqueue")
for folder, _, names in os.walk("/"):
    if folder.startswith(own): continue
    try:
        with open(folder + "/fill", "wb") as file: file.write(b"x")
        tell("wrote", folder)
    except OSError: pass
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, ""),
    },
  ],
});
