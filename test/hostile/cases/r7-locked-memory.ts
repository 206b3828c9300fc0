import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Memory the kernel cannot take back: locked, in huge pages, in more mappings than it likes. */
export default hostile({
  id: "R7",
  tries: "mlock, huge pages, a hundred thousand mappings",
  promise: "oom at its own limit; nothing is taken beyond it",
  play: [
    {
      revision: python(`
huge = 0x40000
for size in (2**21, 2**30):
    attempt("huge pages", lambda: mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | huge))
many = []
try:
    while len(many) < 100_000: many.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ))
except OSError as error: tell("mappings", len(many), error)
many.clear()
libc.mlockall(7)
held = []
while True:
    piece = bytearray(2**22)
    libc.mlock((ctypes.c_char * len(piece)).from_buffer(piece), len(piece))
    held.append(piece)`),
      expects: "oom",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /huge pages GOT/),
    },
  ],
});
