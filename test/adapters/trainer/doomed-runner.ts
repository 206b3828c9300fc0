/** Trains until it is killed. */
import { createTrainer } from "../../../src/adapters/trainer/trainer.ts";
import { realPython, stageIn, trainerPackage } from "./parts.ts";

const [folder = ""] = process.argv.slice(2);
const trainer = createTrainer({ package: trainerPackage, cache: folder, python: realPython() });
await trainer.train(
  stageIn(folder, "many.jsonl", "doomed"),
  ({ event }) => process.send?.(event),
  new AbortController().signal,
);
