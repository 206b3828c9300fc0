/** The root of a task: the user's solution as it stands when a run begins (EXIT.md section 1). */
import { ExitError } from "../core/errors.ts";
import type { Node } from "../core/history.ts";
import type { ResolvedTask, ScoreResult, Scorer, Snapshots, Store, Workspace } from "../core/ports.ts";
import { isFailed } from "../core/verdict.ts";

export interface RootParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly scorer: Scorer;
  readonly store: Pick<Store, "nodes" | "rootsInForce" | "addRoot">;
}

/**
 * Makes sure that the working solution is a node of the task under the evaluator as it is now, and that a root scored
 * by this evaluator is in force. A solution that is refused leaves no trace.
 * @throws ExitError `baseline-fails` or `root-unscored`: the task cannot be run as it is.
 */
export async function ensureRoot(task: ResolvedTask, parts: RootParts, signal: AbortSignal): Promise<void> {
  const { store } = parts;
  const solution = await parts.workspace.solution(task);
  const snapshot = await parts.snapshots.save(solution, null);
  const nodes = store.nodes().filter((node) => node.task === task.id);
  const comparable = nodes.filter((node) => node.evaluator === task.evaluatorDigest);
  const isKnown = comparable.some((node) => node.snapshot === snapshot);
  const root = isKnown ? newestRoot(comparable, store) : undefined;
  if (root !== undefined) {
    refuseFailed(task, root);
    store.addRoot(root);
    return;
  }
  const score = await acceptedScore(task, snapshot, parts, signal);
  store.addRoot({
    ...{ parent: null, depth: 0, goal: null, group: null, policy: null, heldOut: false },
    ...score,
    id: `n${store.nodes().length + 1}`,
    task: task.id,
    snapshot,
    evaluator: task.evaluatorDigest,
  });
}

/** The one of these nodes that came into force last. */
function newestRoot(nodes: readonly Node[], store: Pick<Store, "rootsInForce">): Node | undefined {
  const roots = new Map(nodes.filter((node) => node.parent === null).map((node) => [node.id, node]));
  const newest = store.rootsInForce().findLast((root) => roots.has(root.node));
  return newest && roots.get(newest.node);
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
  refuseUnscored(task, result);
  refuseFailed(task, result);
  const { verdict, score, quality, qualitySE, feedback } = result;
  return { verdict, score, quality, qualitySE, feedback };
}

function refuseUnscored(task: ResolvedTask, { verdict, quality, evidence }: ScoreResult): void {
  if (quality !== null) return;
  const note = evidence.score?.note ?? evidence.run?.note ?? "";
  throw new ExitError(
    "root-unscored",
    `The solution of task ${task.id} could not be scored (${verdict}). ${note} See what happens with "exit-ml score".`,
  );
}

function refuseFailed(task: ResolvedTask, { verdict, feedback }: Pick<Node, "verdict" | "feedback">): void {
  if (!isFailed(verdict) || task.definition.baseline !== "mustScore") return;
  throw new ExitError(
    "baseline-fails",
    `The solution of task ${task.id} does not score (${verdict}): ${feedback ?? ""}\n` +
      `Mend it, or set "baseline": "mayFail" in ${task.file} to let the run begin by debugging it.`,
  );
}
