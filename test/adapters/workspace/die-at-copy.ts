/** Loaded before a program: kills it at its `DIE_AT`th copy of a file, before that copy is made. */
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

let copies = 0;
const copyFile = promises.copyFile;
promises.copyFile = (...args) => {
  copies++;
  if (copies === Number(process.env.DIE_AT)) process.kill(process.pid, "SIGKILL");
  return copyFile(...args);
};
syncBuiltinESMExports();
