import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Opens files until there are no more descriptors. */
export default hostile({
  id: "R24",
  tries: "opens files until no descriptor is left",
  promise: "crash; at most 4096 are open",
  play: [
    {
      revision: python(`
held = []
try:
    while True: held.append(os.open("/dev/null", os.O_RDONLY))
finally: os.write(1, str(len(held)).encode())`),
      expects: "crash",
      holds: ({ stdout }) => assert.ok(Number(stdout) <= 4096, stdout),
    },
  ],
});
