import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Each write may become a frame of its own, whose handling costs far more than the byte. */
export default hostile({
  id: "R21",
  tries: "prints two hundred thousand single bytes",
  promise: "scored; every byte is counted",
  alone: true,
  play: [
    {
      revision: python(`
for _ in range(100_000): os.write(1, b"z"); os.write(2, b"w")
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout, stderr }) => {
        for (const text of [stdout, stderr]) assert.match(text, /\[\.\.\. 34464 bytes left out \.\.\.\]/);
      },
    },
  ],
});
