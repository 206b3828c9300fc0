/** Where the chains of an evaluation begin: at the roots of tasks, or at held-out nodes of one (EXIT.md sections 4, 5). */
import { ExitError, isExitError } from "../core/errors.ts";
import type { Iterate } from "../core/evaluate/cell.ts";
import type { ResolvedTask, Sandbox, Scorer, Snapshots, Store, Workspace } from "../core/ports.ts";
import type { EvaluationReport, RunEvent } from "../core/reports.ts";
import type { EvaluateRequest } from "./app.ts";
import { ensureAudited } from "./audit-once.ts";
import { onlyTask, usableTasks } from "./choose-task.ts";
import { scoredRoot, scoredStart } from "./roots.ts";

/** Where chains begin. */
export interface Start {
  readonly task: ResolvedTask;
  /** Digest of the image its solutions are scored with. */
  readonly image: string;
  /** Null for a root. */
  readonly node: string | null;
  readonly iterate: Iterate;
}

export interface StartParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly store: Pick<Store, "nodes" | "rootsInForce" | "auditPassed" | "setAuditPassed">;
  readonly sandbox: Pick<Sandbox, "describe">;
  readonly scorer: Scorer;
  readonly emit: (event: RunEvent) => void;
}

/** The named tasks, else all held-out tasks, else the only one. @throws ExitError `no-task`, `task-needed`. */
export async function tasksToEvaluate(
  request: EvaluateRequest,
  workspace: Workspace,
): Promise<ResolvedTask[]> {
  const resolve = (names: readonly string[]) => Promise.all(names.map((name) => workspace.resolve(name)));
  if (request.tasks.length > 0) return resolve(request.tasks);
  if (!request.heldOutStarts) {
    const all = await resolve([...(await usableTasks(workspace))].sort());
    const heldOut = all.filter((task) => task.definition.split === "heldout");
    if (heldOut.length > 0) return heldOut.slice(0, request.limit ?? heldOut.length);
  }
  return resolve([await onlyTask(workspace)]);
}

/** @throws ExitError `no-start`; of a named task also what is wrong with it. */
export async function findStarts(
  tasks: readonly ResolvedTask[],
  request: EvaluateRequest,
  parts: StartParts,
  signal: AbortSignal,
): Promise<{ readonly starts: Start[]; readonly leftOut: EvaluationReport["leftOut"] }> {
  const say = (text: string): void => parts.emit({ type: "progress", text });
  const found: Start[] = [];
  const leftOut: { task: string; reason: string }[] = [];
  for (const task of tasks) {
    try {
      say(`Scoring the solution of ${task.id} as it is`);
      const root = await scoredRoot(task, parts, signal);
      await ensureAudited(task, parts, signal);
      const { imageDigest: image } = await parts.sandbox.describe(task, signal);
      if (request.heldOutStarts) {
        for (const { node, iterate } of await heldOutNodes(task, parts, signal))
          found.push({ task, image, node, iterate });
      } else found.push({ task, image, node: null, iterate: root });
    } catch (error) {
      const isOfTask = isExitError(error) && ofOneTask.has(error.reason);
      if (!isOfTask || request.tasks.length > 0 || tasks.length === 1) throw error;
      leftOut.push({ task: task.id, reason: error.message });
      parts.emit({ type: "message", level: "warn", text: `Left out: ${error.message}` });
    }
  }
  const starts = found.slice(0, request.limit ?? found.length);
  if (starts.length > 0) return { starts, leftOut };
  throw new ExitError(
    "no-start",
    request.heldOutStarts
      ? "No node of this tree is held out yet: about one in five of those below the root is. Let the search go on first."
      : "None of the held-out tasks can be used as it is.",
  );
}

/** What is wrong with one task only. */
const ofOneTask: ReadonlySet<string> = new Set(["root-unscored", "baseline-fails", "audit-failed"]);

/** The roots of held-out subtrees, each under the evaluator as it is now. */
async function heldOutNodes(
  task: ResolvedTask,
  parts: StartParts,
  signal: AbortSignal,
): Promise<{ readonly node: string; readonly iterate: Iterate }[]> {
  const found = new Map<string, { node: string; iterate: Iterate }>();
  for (const { id, snapshot, depth, heldOut, quality, task: of } of parts.store.nodes()) {
    if (of !== task.id || depth !== 1 || !heldOut || quality === null) continue;
    if (snapshot === null || found.has(snapshot)) continue;
    found.set(snapshot, { node: id, iterate: await scoredStart(task, snapshot, "node", parts, signal) });
  }
  return [...found.values()];
}
