import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** One process, as many threads as it gets. */
export default hostile({
  id: "R2",
  tries: "thread bomb in one process",
  promise: "crash; threads count as processes",
  alone: true,
  play: [
    {
      revision: python(`
started = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
except RuntimeError:
    tell(started)
    os._exit(3)`),
      expects: "crash",
      holds: ({ stdout }) => assert.ok(Number(stdout) < 64, `${stdout} threads`),
    },
  ],
});
