import { hostile, python } from "../case.ts";

/** Ignores every signal that can be ignored. */
export default hostile({
  id: "R16",
  tries: "ignores every signal; stops or kills the process that limits its time",
  promise: "timeout; crash where it ends itself",
  play: [
    {
      revision: python(`
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)`),
      task: { run: { timeout: "2s" } },
      expects: "timeout",
    },
    {
      name: "stops the process that limits its time",
      revision: python(`
os.kill(os.getppid(), signal.SIGSTOP)
time.sleep(10**6)`),
      task: { run: { timeout: "2s" } },
      expects: "timeout",
    },
    {
      name: "kills the process that limits its time",
      revision: python(`
leave(0.9)
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(10**6)`),
      expects: "crash",
    },
  ],
});
