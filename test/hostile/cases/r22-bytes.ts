import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** What is no text, steers a terminal, or is cut in the middle of a character. */
export default hostile({
  id: "R22",
  tries: "prints NUL, bytes that are not UTF-8, terminal sequences, half characters",
  promise: "scored; shown text is harmless, whole characters survive",
  play: [
    {
      revision: python(`
os.write(1, b"\\xff\\xfe \\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\x00\\x9b2J caf\\xc3")
time.sleep(0.3)
os.write(1, b"\\xa9 \\xe2\\x80\\xaeabc\\n")
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, "\ufffd\ufffd red \ufffd2J café abc\n"),
    },
  ],
});
