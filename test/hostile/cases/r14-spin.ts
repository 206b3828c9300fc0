import { hostile, python } from "../case.ts";

/** Uses every processor it can, in many processes. */
export default hostile({
  id: "R14",
  tries: "spins on all processors for ever",
  promise: "timeout",
  alone: true,
  play: [
    {
      revision: python(`
for _ in range(5): os.fork()
while True: pass`),
      task: { run: { timeout: "3s" } },
      expects: "timeout",
    },
  ],
});
