/** The root of a task: the user's solution as it stands when a run begins (EXIT.md section 1). */
import { ExitError } from "../core/errors.ts";
import type { Node } from "../core/history.ts";
import type { ResolvedTask, Scorer, Snapshots, Store, Workspace } from "../core/ports.ts";
import { isFailed } from "../core/verdict.ts";

export interface RootParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly scorer: Scorer;
  readonly store: Pick<Store, "nodes" | "addRoot" | "setRootScore">;
}

/**
 * Makes sure that the working solution is a node of the task and that its newest root has a quality under the
 * evaluator as it is now.
 * @throws ExitError `baseline-fails` or `root-unscored`: the task cannot be run as it is.
 */
export async function ensureRoot(task: ResolvedTask, parts: RootParts, signal: AbortSignal): Promise<Node> {
  const solution = await parts.workspace.solution(task);
  const snapshot = await parts.snapshots.save(solution, null);
  const nodes = parts.store.nodes();
  const ofTask = nodes.filter((node) => node.task === task.id);
  if (!ofTask.some((node) => node.snapshot === snapshot))
    parts.store.addRoot(blankRoot(`n${nodes.length + 1}`, task.id, snapshot));

  const root = parts.store.nodes().findLast((node) => node.task === task.id && node.parent === null);
  if (root?.snapshot == null) throw new RangeError(`task ${task.id} has no root after one was stored`);
  const request = {
    key: `root-${root.id}-${task.evaluatorDigest.slice(0, 12)}`,
    run: null,
    task,
    snapshot: root.snapshot,
    solution: await parts.snapshots.read(root.snapshot),
    isRoot: true,
  };
  let result = await parts.scorer.score(request, signal);
  if (result.quality === null) {
    result = await parts.scorer.score({ ...request, key: `${request.key}-again` }, signal);
  }
  const { verdict, score, quality, qualitySE, feedback } = result;
  parts.store.setRootScore(root.id, { verdict, score, quality, qualitySE, feedback });
  if (quality === null) {
    const note = result.evidence.score?.note ?? result.evidence.run?.note ?? "";
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
  return { ...root, verdict, score, quality, qualitySE, feedback };
}

function blankRoot(id: string, task: string, snapshot: string): Node {
  return {
    id,
    task,
    parent: null,
    depth: 0,
    goal: null,
    verdict: null,
    score: null,
    quality: null,
    qualitySE: null,
    snapshot,
    group: null,
    policy: null,
    heldOut: false,
    feedback: null,
  };
}
