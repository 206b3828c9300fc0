/** Trains until it is killed. */
import { withLock } from "../../../src/adapters/leases/lock.ts";
import { createTrainer } from "../../../src/adapters/trainer/trainer.ts";
import { realPython, stageIn, trainerPackage } from "./parts.ts";

const [folder = ""] = process.argv.slice(2);
const trainer = createTrainer({ package: trainerPackage, cache: folder, python: realPython(), withLock });
await trainer.train(
  stageIn(folder, "many.jsonl", "doomed"),
  ({ event }) => process.send?.(event),
  new AbortController().signal,
);
