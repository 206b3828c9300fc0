import { hostile, python } from "../case.ts";

/** Orphans that nobody of the revision's waits for; unreaped they would fill the process limit. */
export default hostile({
  id: "R18",
  tries: "leaves hundreds of orphans behind that nobody waits for",
  promise: "scored; somebody reaps them",
  play: [
    {
      revision: python(`
for _ in range(300):
    while True:
        try: child = os.fork(); break
        except BlockingIOError: time.sleep(0.01)
    if child == 0:
        try: os.fork()
        except BlockingIOError: pass
        os._exit(0)
    os.waitpid(child, 0)
leave(0.5)`),
      expects: "scored",
    },
  ],
});
