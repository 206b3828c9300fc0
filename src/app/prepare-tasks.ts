/** Making the tasks of a run ready: each root scored, each score command tried. */
import { type ExitError, isExitError } from "../core/errors.ts";
import type { ResolvedTask, Scorer, Store } from "../core/ports.ts";
import type { RunEvent } from "../core/reports.ts";
import { ensureAudited } from "./audit-once.ts";
import { ensureRoot, type RootParts } from "./roots.ts";

export interface PrepareParts extends RootParts {
  readonly store: RootParts["store"] & Pick<Store, "auditPassed" | "setAuditPassed">;
  readonly scorer: Scorer;
  readonly emit: (event: RunEvent) => void;
}

/** What is wrong with one task and says nothing about the others. */
const ownFaults: ReadonlySet<string> = new Set([
  ...["task-invalid", "sandbox-too-large", "image-missing", "network-refused"],
  ...["root-unscored", "baseline-fails", "evaluator-broken", "audit-failed"],
]);

/** The error, if it is a fault of one task alone. @throws the error otherwise. */
export function ownFault(error: unknown): ExitError {
  if (isExitError(error) && ownFaults.has(error.reason)) return error;
  throw error;
}

/**
 * Several tasks are worked on at once, as far as the machine has room; roots become nodes in the order of the tasks.
 * @param refused told of each task that is not fit to be searched; it may throw to end the run, or leave it out
 * @returns the others, in their order
 */
export async function prepareTasks(
  tasks: readonly ResolvedTask[],
  parts: PrepareParts,
  refused: (task: string, error: ExitError) => void,
  signal: AbortSignal,
): Promise<readonly ResolvedTask[]> {
  await eachTold(tasks, "Scoring the solution as it is", parts, (task) => scoreAhead(task, parts, signal));
  const rooted: ResolvedTask[] = [];
  for (const task of tasks) {
    try {
      await ensureRoot(task, parts, signal);
      rooted.push(task);
    } catch (error) {
      refused(task.id, ownFault(error));
    }
  }
  const faults = new Map<string, ExitError>();
  const untried = rooted.filter((task) => !parts.store.auditPassed(task.id, task.evaluatorDigest));
  await eachTold(untried, "Trying whether the score command can be fooled", parts, async (task) => {
    try {
      await ensureAudited(task, parts, signal);
    } catch (error) {
      faults.set(task.id, ownFault(error));
    }
  });
  return rooted.filter((task) => {
    const fault = faults.get(task.id);
    if (fault !== undefined) refused(task.id, fault);
    return fault === undefined;
  });
}

/** Only for the score to be known when `ensureRoot` asks for it; what goes wrong is told there. */
async function scoreAhead(task: ResolvedTask, parts: PrepareParts, signal: AbortSignal): Promise<void> {
  const solution = await parts.workspace.solution(task);
  const snapshot = await parts.snapshots.save(solution, null);
  const key = `ahead-${snapshot.slice(0, 12)}-${task.evaluatorDigest.slice(0, 12)}`;
  const request = { key, run: null, task, snapshot, solution, isRoot: true };
  await parts.scorer.score(request, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
  });
}

const atOnce = 8;

/** @throws the first failure, once nothing is under way any more */
async function eachTold(
  tasks: readonly ResolvedTask[],
  what: string,
  { emit }: Pick<PrepareParts, "emit">,
  work: (task: ResolvedTask) => Promise<void>,
): Promise<void> {
  const waiting = [...tasks];
  let begun = 0;
  let broken = false;
  const worker = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined && !broken; task = waiting.shift()) {
      const place = tasks.length > 1 ? ` (${++begun} of ${tasks.length})` : "";
      emit({ type: "progress", text: `${what}: ${task.id}${place}` });
      try {
        await work(task);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, tasks.length) }, worker);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
