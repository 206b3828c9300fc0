import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const slow = `import time
first = open("out.csv").read()
time.sleep(1.5)
print('{"score": ' + (first if first == open("out.csv").read() else "0.9") + "}")
`;

/** Holds the output open in a background process and writes to it while the evaluator reads. */
export default hostile({
  id: "T9",
  tries: "a background process edits the output while it is scored",
  promise: "scored; the process died with the run, the copy cannot be written",
  play: [
    {
      revision: python(`
out = open("out.csv", "w+"); out.write("0.25"); out.flush()
view = os.dup(out.fileno())
if os.fork() == 0:
    os.setsid()
    time.sleep(0.5)
    while True: os.pwrite(view, b"0.90", 0); time.sleep(0.001)`),
      workspace: { "score.py": slow },
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
  ],
});
