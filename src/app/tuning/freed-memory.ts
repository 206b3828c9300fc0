/**
 * Trainer and model do not fit a GPU together: before a training the model is unloaded, which is made sure of, and
 * no revision gets a GPU meanwhile; afterwards all is as it was.
 */
import { isExitError } from "../../core/errors.ts";
import type { Lease } from "../../core/ports.ts";
import type { OpenBase } from "./base-model.ts";
import type { TuningParts } from "./parts.ts";

export async function withFreedMemory<T>(
  { base, keeper, policy }: OpenBase,
  parts: TuningParts,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const ofLine = parts.store.tuning.models().filter((model) => model.base.line === base.line);
  const tuned = ofLine.flatMap(({ served }) => (served === null ? [] : [served.model]));
  const lease = await leaseGpus(parts, signal);
  try {
    const say = (text: string): void => parts.emit({ type: "progress", text });
    // Before the policy gives back its own: what is not loaded any more is not found, and not put back.
    const restore = await keeper.unload([base.model, ...tuned], say, signal);
    try {
      await policy.unload?.();
      return await work();
    } finally {
      await restore();
    }
  } finally {
    lease?.release();
  }
}

/** All GPUs of the engine; null without an engine: then no revision is running either. */
async function leaseGpus(
  { sandbox, arbiter, emit }: TuningParts,
  signal: AbortSignal,
): Promise<Lease | null> {
  try {
    const { gpus } = await (await sandbox()).resources();
    if (gpus.length > 0)
      emit({ type: "progress", text: "Waiting for the GPU: revisions that use it end first" });
    return await arbiter.lease({ cpus: 0, memory: 0, gpus: gpus.length }, "trainer", signal);
  } catch (error) {
    if (isExitError(error, "docker-unreachable") || isExitError(error, "docker-denied")) return null;
    throw error;
  }
}
