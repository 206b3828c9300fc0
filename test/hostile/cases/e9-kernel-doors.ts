import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const got = (stdout: string): string[] => stdout.split("\n").filter((line) => line.includes("GOT"));

/** Parts of the kernel that containers do not separate. What an engine of this age leaves open is told. */
export default hostile({
  id: "E9",
  tries: "keyctl, bpf, perf, userfaultfd; AF_VSOCK, AF_ALG, io_uring, whose filter depends on the engine",
  promise: "scored; the first four are refused, of the others the suite tells what is open",
  play: [
    {
      revision: python(`
attempt("add_key", lambda: call("syscall", 248, b"user", b"x", b"y", 1, -3))
attempt("keyctl", lambda: call("syscall", 250, 0, -3, 0))
attempt("bpf", lambda: call("syscall", 321, 0, bytes(64), 64))
attempt("perf_event_open", lambda: call("syscall", 298, bytes(128), 0, -1, -1, 0))
attempt("userfaultfd", lambda: call("syscall", 323, 0))
attempt("open_by_handle_at", lambda: call("syscall", 304, -100, bytes(64), 0))
attempt("kexec_load", lambda: call("syscall", 246, 0, 0, 0, 0))
attempt("init_module", lambda: call("syscall", 175, bytes(8), 8, b""))
attempt("optional AF_VSOCK", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("optional AF_ALG", lambda: socket.socket(38, socket.SOCK_SEQPACKET))
attempt("optional AF_PACKET", lambda: socket.socket(17, socket.SOCK_RAW))
attempt("optional io_uring", lambda: call("syscall", 425, 4, ctypes.create_string_buffer(120)))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => {
        for (const line of got(stdout)) assert.match(line, /^optional (AF_VSOCK|AF_ALG|io_uring)/);
      },
      tells: ({ stdout }) =>
        `open on this engine: ${
          got(stdout)
            .map((line) => line.split(" ")[1])
            .join(", ") || "none of them"
        }`,
    },
  ],
});
