/** Loaded before a program: kills it right before (or, if half of a file is being written, within) its `DIE_AT`th change of a file. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const dieAt = Number(process.env.DIE_AT);
let step = 0;
const die = (): never => {
  process.kill(process.pid, "SIGKILL");
  for (;;);
};

const write = fs.writeFileSync;
fs.writeFileSync = (file, data, options) => {
  step++;
  if (step === dieAt) die();
  step++;
  if (step === dieAt) {
    write(file, String(data).slice(0, 10), options);
    die();
  }
  write(file, data, options);
};
for (const name of ["linkSync", "renameSync", "rmSync"] as const) {
  const change = fs[name] as (...args: unknown[]) => void;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      step++;
      if (step === dieAt) die();
      change(...args);
    },
  });
}
syncBuiltinESMExports();
