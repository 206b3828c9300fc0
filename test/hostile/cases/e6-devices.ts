import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A node of the host's disk would be the host's disk. */
export default hostile({
  id: "E6",
  tries: "makes device nodes and opens the machine's disks",
  promise: "scored; all of it is refused",
  play: [
    {
      revision: python(`
for name, kind, major, minor in (("sda", stat.S_IFBLK, 8, 0), ("vda", stat.S_IFBLK, 254, 0), ("mem", stat.S_IFCHR, 1, 1), ("kmsg", stat.S_IFCHR, 1, 11)):
    for place in ("/work", "/tmp", "/dev/shm"):
        attempt(f"mknod {place}/{name}", lambda: os.mknod(f"{place}/{name}", kind | 0o666, os.makedev(major, minor)))
for path in glob.glob("/dev/[svh]d*") + ["/dev/kvm", "/dev/fuse", "/dev/net/tun"]:
    attempt("open " + path, lambda: open(path, "rb").read(1))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    },
  ],
});
