import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Ends before it has done anything, with the code of success. */
export default hostile({
  id: "T12",
  tries: "ends early with exit code 0, or with the codes that a time limit gives",
  promise: "invalid or crash; success is an output, not an exit code",
  play: [
    "os._exit(0)",
    "sys.exit(0)",
    "sys.exit(124)",
    "sys.exit(137)",
    "os.kill(os.getpid(), signal.SIGKILL)",
  ].map((act) => ({
    name: act,
    revision: python(`${act}\nleave(0.9)`),
    expects: act.endsWith("exit(0)") ? ("invalid" as const) : ("crash" as const),
    holds: ({ result }) => assert.equal(result.score, null),
  })),
});
