import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A file becomes a link between the look and the copy. */
export default hostile({
  id: "E16",
  tries: "swaps its output for a link while it is copied",
  promise: "scored by what lay there at the end; nothing lives while outputs are copied",
  play: [
    {
      revision: python(`
leave(0.25)
os.symlink("/etc/passwd", "link.csv")
def swap(): call("syscall", 316, -100, b"/work/out.csv", -100, b"/work/link.csv", 2)
for _ in range(1000): swap()
if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    while True: swap()`),
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
  ],
});
