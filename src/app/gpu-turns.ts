/**
 * Model and revisions on the same GPUs take turns: the model has them while a group is sampled and is unloaded before
 * its replies are scored, so that the run is serial (DESIGN.md section 5). Where the model lies is not known, so it
 * counts as using them all.
 */
import type { LoopContext } from "../core/loop.ts";
import type { Arbiter, Capacity, Policy, PolicyInfo, ResolvedTask } from "../core/ports.ts";

export interface GpuParts {
  readonly tasks: readonly ResolvedTask[];
  readonly policy: Pick<Policy, "unload">;
  readonly policyInfo: Pick<PolicyInfo, "gpuShare">;
  readonly arbiter: Arbiter;
  readonly capacity: Capacity;
}

/** Do model and revisions of this run want the same GPUs? */
export function sharesGpus({ tasks, policyInfo }: Pick<GpuParts, "tasks" | "policyInfo">): boolean {
  // A runtime that does not say where the model is may have it on a GPU.
  const onGpu = policyInfo.gpuShare === null || policyInfo.gpuShare > 0;
  return onGpu && tasks.some((task) => task.definition.sandbox.gpus > 0);
}

export function modelTurns(parts: GpuParts): LoopContext["withModel"] {
  if (!sharesGpus(parts)) return (work) => work();
  const need = { cpus: 0, memory: 0, gpus: parts.capacity.gpus.length };
  return async (work, signal) => {
    const lease = await parts.arbiter.lease(need, "model", signal);
    try {
      return await work();
    } finally {
      try {
        await parts.policy.unload?.();
      } finally {
        lease.release();
      }
    }
  };
}
