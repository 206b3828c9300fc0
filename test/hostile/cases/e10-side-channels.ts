import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const places = `places = ("/dev/shm", "/tmp", "/work", "/dev/mqueue", "/var/tmp", "/run/lock", os.path.expanduser("~"))`;

/** One revision leaves marks wherever it can, the next one looks for them. */
export default hostile({
  id: "E10",
  tries: "leaves something for the next run in memory files, queues and shared memory",
  promise: "scored; the next run finds nothing",
  play: [
    {
      name: "leaves",
      revision: python(`
${places}
for place in places:
    try: leave("mark", place + "/mark-of-e10")
    except OSError: pass
key = 0x10e10
attempt("shmget", lambda: call("shmget", key, 4096, 0o1666))
attempt("semget", lambda: call("semget", key, 1, 0o1666))
attempt("msgget", lambda: call("msgget", key, 0o1666))
attempt("abstract socket", lambda: globals().update(held=socket.socket(socket.AF_UNIX)) or held.bind("\\0e10"))
leave(0.5)`),
      expects: "scored",
    },
    {
      name: "looks",
      revision: python(`
${places}
for place in places:
    if os.path.exists(place + "/mark-of-e10"): tell("FOUND", place)
key = 0x10e10
for name, words in (("shmget", (key, 4096, 0)), ("semget", (key, 1, 0)), ("msgget", (key, 0))):
    try: call(name, *words); tell("FOUND", name)
    except OSError: pass
try: socket.socket(socket.AF_UNIX).connect("\\0e10"); tell("FOUND socket")
except OSError: pass
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.equal(stdout, ""),
    },
  ],
});
