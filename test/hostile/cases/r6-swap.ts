import { hostile, python } from "../case.ts";

/** Asks the kernel to page out what it has touched, to hold more than its memory limit in swap. */
export default hostile({
  id: "R6",
  tries: "pushes touched pages out to swap to hold more than its limit",
  promise: "oom; swap is part of the limit",
  play: [
    {
      revision: python(`
MADV_PAGEOUT = 21
held = []
while True:
    piece = mmap.mmap(-1, 2**23)
    piece.write(os.urandom(2**23))
    try: piece.madvise(MADV_PAGEOUT)
    except OSError: pass
    held.append(piece)`),
      expects: "oom",
    },
  ],
});
