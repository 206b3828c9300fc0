import { hostile, python } from "../case.ts";

/** Costs no processor time at all, so that only the wall clock can find it. */
export default hostile({
  id: "R15",
  tries: "sleeps for ever",
  promise: "timeout",
  play: [
    {
      revision: python("leave(0.9)\ntime.sleep(10**6)"),
      task: { run: { timeout: "2s" } },
      expects: "timeout",
    },
  ],
});
