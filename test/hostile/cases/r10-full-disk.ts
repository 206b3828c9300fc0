import { hostile, python } from "../case.ts";

/** Many files of a size that is allowed, until there is no room. */
export default hostile({
  id: "R10",
  tries: "fills /work with files; only says that it did",
  promise: "disk_limit; crash: what it prints proves nothing",
  play: [
    {
      revision: python(`for index in range(1000): open(f"part{index}", "wb").write(bytes(2**20))`),
      expects: "disk_limit",
    },
    {
      name: "says so",
      revision: python('raise OSError(errno.ENOSPC, "No space left on device")'),
      expects: "crash",
    },
  ],
});
