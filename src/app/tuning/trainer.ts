/** The bundled trainer, with its environment in the cache folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../adapters/leases/lock.ts";
import { createTrainer } from "../../adapters/trainer/trainer.ts";
import type { Trainer } from "../../core/tuning/ports.ts";
import { cacheFolder } from "../models.ts";

export function openTrainer(env: NodeJS.ProcessEnv): Trainer {
  return createTrainer({
    package: packageFolder(),
    cache: cacheFolder(env),
    python: env.EXIT_ML_TRAINER_PYTHON ?? null,
    withLock,
  });
}

/** Beside the bundles; in the sources at the top. */
function packageFolder(): string {
  const besideBundles = join(import.meta.dirname, "..", "trainer");
  return existsSync(besideBundles) ? besideBundles : join(import.meta.dirname, "..", "..", "..", "trainer");
}
