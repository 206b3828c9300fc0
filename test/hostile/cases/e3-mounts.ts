import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** All that may be mounted; a folder of the host's other than the inputs must not be among it. */
const allowed =
  /^(\/|\/proc(\/.*)?|\/dev(\/(pts|mqueue|shm|console))?|\/sys(\/.*)?|\/tmp|\/work|\/work\/data|\/exit-ml-warden|\/etc\/(resolv\.conf|hostname|hosts))$/;
const writable = /^(\/dev\/(mqueue|shm)|\/tmp|\/work)$/;

/** Reads its own table of mounts and tries to write through every one of them. */
export default hostile({
  id: "E3",
  tries: "reaches folders of the host through a mount",
  promise: "scored; mounts are those of the list, inputs are read-only",
  play: [
    {
      revision: python(`
for line in open("/proc/self/mountinfo"):
    left, right = line.split(" - ")
    place = left.split()[4]
    masked = os.stat(place).st_rdev == os.makedev(1, 3)
    tell(place, "writable" if os.access(place, os.W_OK) and not masked else "")
attempt("input", lambda: open("data/public.csv", "a"))
attempt("input folder", lambda: open("data/new", "w"))
attempt("input gone", lambda: os.remove("data/public.csv"))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => {
        assert.doesNotMatch(stdout, /GOT/);
        const mounts = stdout.split("\n").filter((line) => line.startsWith("/"));
        assert.ok(mounts.length > 5, stdout);
        for (const mount of mounts) {
          const [place = "", access] = mount.split(" ");
          assert.match(place, allowed);
          if (access === "writable") assert.match(place, writable);
        }
      },
    },
  ],
});
