import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** The calls by which containers are made and entered. */
export default hostile({
  id: "E5",
  tries: "mount, unshare, setns, pivot_root, chroot",
  promise: "scored; all of it is refused",
  play: [
    {
      revision: python(`
os.mkdir("m")
attempt("mount tmpfs", lambda: call("mount", b"none", b"/work/m", b"tmpfs", 0, None))
attempt("mount proc", lambda: call("mount", b"proc", b"/work/m", b"proc", 0, None))
attempt("bind", lambda: call("mount", b"/", b"/work/m", None, 4096, None))
attempt("remount", lambda: call("mount", None, b"/", None, 32, None))
attempt("umount", lambda: call("umount2", b"/proc/kcore", 2))
for name, flag in dict(user=0x10000000, mount=0x20000, net=0x40000000, pid=0x20000000).items():
    attempt("unshare " + name, lambda: call("unshare", flag))
attempt("setns", lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0))
attempt("chroot", lambda: os.chroot("/work"))
attempt("pivot_root", lambda: call("syscall", 155, b"/work", b"/work/m"))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    },
  ],
});
