/**
 * Finds out by trying what an engine enforces with our recipe and a task's image: versions and settings tell
 * what should be, and engines ignore limits in silence.
 */
import { type Guarantee, guaranteeNames } from "../../../core/guarantees.ts";
import type { TaskDefinition } from "../../../core/task.ts";
import type { Kit } from "../kit.ts";
import { createOptions } from "../recipe.ts";
import { gpu, secondRuntime } from "./devices.ts";
import { innerLimit, killLatency } from "./ending.ts";
import { look, lookedFor } from "./look.ts";
import { memory } from "./memory.ts";
import { unlessRefused } from "./probe-container.ts";

/**
 * Implements `Sandbox.selfTest`. All probes at once, a few seconds.
 * @param recipe how containers are made: what the probes put to the test
 * @throws ExitError `image-missing`; the engine's error if it does not answer; the signal's reason.
 */
export async function selfTest(
  kit: Kit,
  definition: TaskDefinition,
  signal: AbortSignal,
  recipe: typeof createOptions = createOptions,
): Promise<readonly Guarantee[]> {
  const image = await kit.image(definition);
  const { gpus, runtime } = definition.sandbox;
  const probing = { kit, image, runtime, recipe, signal };
  const probes = [
    unlessRefused(["container-runs"], () => look(probing)),
    unlessRefused(["memory-limit", "oom-reported"], () => memory(probing)),
    unlessRefused(["kill-latency"], () => killLatency(probing)),
    unlessRefused(["inner-time-limit"], () => innerLimit(probing)),
    secondRuntime(probing),
    ...(gpus > 0 ? [unlessRefused(["gpu"], () => gpu(probing, gpus))] : []),
  ];
  // None may be at work any more when the caller goes on.
  await Promise.allSettled(probes);
  const found = (await Promise.all(probes)).flat();
  const unseen = lookedFor.filter((name) => !found.some(({ guarantee }) => guarantee === name));
  const all = [
    ...found,
    ...unseen.map((guarantee) => ({ guarantee, held: null, measured: "no container ran to find out" })),
  ];
  return all.sort((a, b) => guaranteeNames.indexOf(a.guarantee) - guaranteeNames.indexOf(b.guarantee));
}
