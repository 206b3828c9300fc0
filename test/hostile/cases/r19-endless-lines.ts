import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Prints as fast as it can, on both channels in turn. */
export default hostile({
  id: "R19",
  tries: "prints lines without end",
  promise: "output_limit; beginning and end are kept, memory stays flat",
  alone: true,
  play: [
    {
      revision: python(`
tell("first line")
piece = b"x" * 99 + b"\\n"
while True:
    os.write(1, piece * 600)
    os.write(2, piece)`),
      expects: "output_limit",
      holds: ({ stdout }) => {
        assert.match(stdout, /^first line\n/);
        assert.match(stdout, /bytes left out/);
        assert.ok(stdout.length < 70_000);
      },
    },
  ],
});
