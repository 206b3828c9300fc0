import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A task that rewards speed must not ask the revision how long it took. */
export default hostile({
  id: "T26",
  tries: "patches its clocks to look fast",
  promise: "scored; the recorded time is the engine's, each run in a fresh container",
  play: [
    {
      revision: python(`
time.sleep(1)
for name in ("time", "perf_counter", "monotonic", "process_time"): setattr(time, name, lambda: 0.0)
attempt("clock", lambda: call("clock_settime", 0, struct.pack("qq", 1, 0)))
attempt("adjust", lambda: call("adjtimex", struct.pack("I", 1) + bytes(256)))
tell("took", time.time())
leave(0.5)`),
      expects: "scored",
      holds: ({ result, stdout }) => {
        assert.doesNotMatch(stdout, /GOT/);
        assert.ok((result.evidence.run?.ms ?? 0) >= 1000);
      },
    },
  ],
});
