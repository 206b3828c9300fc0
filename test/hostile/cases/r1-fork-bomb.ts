import { hostile, python, shell } from "../case.ts";

/** Every process makes two more, for ever; the parent stays so that only the time limit can end it. */
export default hostile({
  id: "R1",
  tries: "fork bomb, in Python and in the shell",
  promise: "timeout; the process limit holds, the machine answers",
  alone: true,
  play: [
    {
      name: "Python",
      revision: python(`
while True:
    try: os.fork()
    except OSError: pass`),
      task: { run: { timeout: "3s" } },
      expects: "timeout",
    },
    {
      name: "shell",
      revision: shell("bomb() { bomb | bomb & }\nbomb &\nexec tail -f /dev/null\n"),
      task: { run: { timeout: "3s" } },
      expects: "timeout",
    },
  ],
});
