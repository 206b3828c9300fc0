/**
 * A runner as the arbiter sees it: `worker.ts FOLDER CPUS TIMES`. Takes shares of an engine of four processors again
 * and again, notes in `FOLDER/held` what it has while it has it, and prints `over` whenever more is noted than there
 * is. TIMES `hold`: takes once, prints `held` and keeps it.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createArbiter } from "../../../src/adapters/leases/arbiter.ts";
import { isAlive } from "../../../src/adapters/leases/holder.ts";

const [folder = "", cpus = "1", times = "1"] = process.argv.slice(2);
const held = join(folder, "held");
const need = { cpus: Number(cpus), memory: 0, gpus: 0 };
const signal = new AbortController().signal;
const arbiter = createArbiter({
  folder: join(folder, "leases"),
  capacity: async () => ({ cpus: 4, memory: 1, gpus: [] }),
});

function notedBy(name: string): number {
  const [pid, share] = name.split("-").map(Number);
  return isAlive({ pid: pid ?? 0, started: "" }) ? (share ?? 0) : 0;
}

mkdirSync(held, { recursive: true });
if (times === "hold") {
  await arbiter.lease(need, "revision", signal);
  console.log("held");
  setInterval(() => undefined, 60_000);
} else {
  for (let turn = 0; turn < Number(times); turn++) {
    const lease = await arbiter.lease(need, "revision", signal);
    const note = join(held, `${process.pid}-${cpus}-${turn}`);
    writeFileSync(note, "");
    for (let look = 0; look < 5; look++) {
      await new Promise(setImmediate);
      const sum = readdirSync(held).reduce((total, name) => total + notedBy(name), 0);
      if (sum > 4) console.log(`over ${sum}`);
    }
    rmSync(note);
    lease.release();
  }
  console.log("done");
}
