/** The bundled trainer: beside the bundle of this process, with its environment in the cache folder. */
import { join } from "node:path";
import { createTrainer } from "../../adapters/trainer/trainer.ts";
import type { Trainer } from "../../core/tuning/ports.ts";
import { cacheFolder } from "../models.ts";

export function openTrainer(env: NodeJS.ProcessEnv): Trainer {
  return createTrainer({
    package: join(import.meta.dirname, "..", "trainer"),
    cache: cacheFolder(env),
    python: env.EXIT_ML_TRAINER_PYTHON ?? null,
  });
}
