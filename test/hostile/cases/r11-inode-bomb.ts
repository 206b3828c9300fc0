import { hostile, python } from "../case.ts";

/** Empty files cost no bytes, but each costs the kernel memory. */
export default hostile({
  id: "R11",
  tries: "inode bomb: empty files without end",
  promise: "disk_limit; the number of files is limited too",
  alone: true,
  play: [
    {
      revision: python(`
for index in range(10**7): os.close(os.open(f"{index:x}", os.O_CREAT | os.O_WRONLY))`),
      task: { run: { timeout: "60s" }, sandbox: { memory: "256m" } },
      expects: "disk_limit",
    },
  ],
});
