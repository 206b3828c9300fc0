/** Scoring the working solution, or one found in a folder, without a model. */
import type { ResolvedTask, Scorer, Snapshots, Workspace } from "../core/ports.ts";
import type { ScoreReport } from "../core/reports.ts";
import { isSelfReported } from "../core/task.ts";

export async function scoreFiles(
  task: ResolvedTask,
  from: string | null,
  parts: { readonly workspace: Workspace; readonly snapshots: Snapshots; readonly scorer: Scorer },
  signal: AbortSignal,
): Promise<ScoreReport> {
  const solution =
    from === null ? await parts.workspace.solution(task) : await parts.workspace.solutionIn(from, task);
  const snapshot = await parts.snapshots.save(solution, null);
  const key = `score-${task.evaluatorDigest.slice(0, 12)}-${snapshot.slice(0, 12)}`;
  const request = { key, run: null, task, snapshot, solution, isRoot: false };
  const result = await parts.scorer.score(request, signal);
  return { ...result, task: task.id, snapshot, selfReported: isSelfReported(task.definition) };
}
