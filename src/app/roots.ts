/** The root of a task: the user's solution as it stands when a run begins (EXIT.md section 1). */
import { ExitError } from "../core/errors.ts";
import type { Node } from "../core/history.ts";
import type { ResolvedTask, ScoreResult, Scorer, Snapshots, Store, Workspace } from "../core/ports.ts";
import { isFailed } from "../core/verdict.ts";

export interface RootParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly scorer: Scorer;
  readonly store: Pick<Store, "nodes" | "addRoot" | "setRootScore">;
}

/**
 * Makes sure that the working solution is a node of the task and that its newest root has a quality under the
 * evaluator as it is now. A solution that is refused leaves no trace.
 * @throws ExitError `baseline-fails` or `root-unscored`: the task cannot be run as it is.
 */
export async function ensureRoot(task: ResolvedTask, parts: RootParts, signal: AbortSignal): Promise<void> {
  const solution = await parts.workspace.solution(task);
  const snapshot = await parts.snapshots.save(solution, null);
  const ofTask = parts.store.nodes().filter((node) => node.task === task.id);
  const root = ofTask.findLast((node) => node.parent === null);
  const isKnown = ofTask.some((node) => node.snapshot === snapshot);
  if (root?.snapshot != null && isKnown) {
    parts.store.setRootScore(root.id, await acceptedScore(task, root.snapshot, parts, signal));
    return;
  }
  const score = await acceptedScore(task, snapshot, parts, signal);
  const blank = { parent: null, depth: 0, goal: null, group: null, policy: null, heldOut: false } as const;
  parts.store.addRoot({
    ...blank,
    ...score,
    id: `n${parts.store.nodes().length + 1}`,
    task: task.id,
    snapshot,
  });
}

type RootScore = Pick<Node, "verdict" | "score" | "quality" | "qualitySE" | "feedback">;

async function acceptedScore(
  task: ResolvedTask,
  snapshot: string,
  parts: RootParts,
  signal: AbortSignal,
): Promise<RootScore> {
  const key = `root-${snapshot.slice(0, 12)}-${task.evaluatorDigest.slice(0, 12)}`;
  const solution = await parts.snapshots.read(snapshot);
  const request = { key, run: null, task, snapshot, solution, isRoot: true };
  let result = await parts.scorer.score(request, signal);
  if (result.quality === null) result = await parts.scorer.score({ ...request, key: `${key}-again` }, signal);
  refuseUnusable(task, result);
  const { verdict, score, quality, qualitySE, feedback } = result;
  return { verdict, score, quality, qualitySE, feedback };
}

function refuseUnusable(task: ResolvedTask, result: ScoreResult): void {
  const { verdict, quality, feedback, evidence } = result;
  if (quality === null) {
    const note = evidence.score?.note ?? evidence.run?.note ?? "";
    throw new ExitError(
      "root-unscored",
      `The solution of task ${task.id} could not be scored (${verdict}). ${note} See what happens with "exit-ml score".`,
    );
  }
  if (isFailed(verdict) && task.definition.baseline === "mustScore") {
    throw new ExitError(
      "baseline-fails",
      `The solution of task ${task.id} does not score (${verdict}): ${feedback ?? ""}\n` +
        `Mend it, or set "baseline": "mayFail" in ${task.file} to let the run begin by debugging it.`,
    );
  }
}
