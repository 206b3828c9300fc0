import { hostile, shell } from "../case.ts";

/** One real file, written by a program that does not look whether writing works. */
export default hostile({
  id: "R13",
  tries: "one real file larger than the disk limit",
  promise: "disk_limit",
  play: [{ revision: shell("exec head -c 64m /dev/zero > out.csv\n"), expects: "disk_limit" }],
});
