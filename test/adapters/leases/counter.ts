/** `counter.ts FOLDER TIMES`: adds one to `FOLDER/count` so many times, each time with the mutex held. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alone } from "../../../src/adapters/leases/mutex.ts";

const [folder = "", times = "1"] = process.argv.slice(2);
const count = join(folder, "count");

function addOne(): true {
  writeFileSync(count, String(Number(readFileSync(count, "utf8")) + 1));
  return true;
}

for (let added = 0; added < Number(times); ) {
  if (alone(join(folder, "mutex"), addOne)) added++;
  await new Promise(setImmediate);
}
