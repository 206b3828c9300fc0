/** The root of a task: the user's solution as it stands when a run begins (EXIT.md section 1). */
import { ExitError } from "../core/errors.ts";
import type { Iterate } from "../core/evaluate/cell.ts";
import type { Node } from "../core/history.ts";
import type { ResolvedTask, Scorer, Snapshots, Store, Workspace } from "../core/ports.ts";
import { isFailed } from "../core/verdict.ts";

export interface RootParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly scorer: Scorer;
  readonly store: Pick<Store, "nodes" | "rootsInForce" | "addRoot">;
}

type ScoringParts = Pick<RootParts, "snapshots" | "scorer">;

/**
 * Makes sure that the working solution is a node of the task under the evaluator as it is now, and that a root scored
 * by this evaluator is in force. A solution that is refused leaves no trace.
 * @throws ExitError `baseline-fails` or `root-unscored`: the task cannot be run as it is.
 */
export async function ensureRoot(task: ResolvedTask, parts: RootParts, signal: AbortSignal): Promise<void> {
  const { store } = parts;
  const { snapshot, root } = await currentRoot(task, parts);
  if (root !== null) {
    refuseFailed(task, root);
    store.addRoot(root);
    return;
  }
  store.addRoot({
    ...{ parent: null, depth: 0, goal: null, group: null, policy: null, heldOut: false },
    ...(await acceptedScore(task, snapshot, parts, signal)),
    id: `n${store.nodes().length + 1}`,
    task: task.id,
    evaluator: task.evaluatorDigest,
  });
}

/** The root with its score, without making it a node. @throws ExitError as `ensureRoot`. */
export async function scoredRoot(
  task: ResolvedTask,
  parts: Omit<RootParts, "store"> & { readonly store: Pick<Store, "nodes" | "rootsInForce"> },
  signal: AbortSignal,
): Promise<Iterate> {
  const { snapshot } = await currentRoot(task, parts);
  return acceptedScore(task, snapshot, parts, signal);
}

/**
 * The newest root of this evaluator if the working solution is a node under it, else the working solution.
 * @returns root: its node; null while it is none
 */
async function currentRoot(
  task: ResolvedTask,
  parts: Pick<RootParts, "workspace" | "snapshots"> & {
    readonly store: Pick<Store, "nodes" | "rootsInForce">;
  },
): Promise<{ readonly snapshot: string; readonly root: Node | null }> {
  const solution = await parts.workspace.solution(task);
  const snapshot = await parts.snapshots.save(solution, null);
  const comparable = parts.store
    .nodes()
    .filter((node) => node.task === task.id && node.evaluator === task.evaluatorDigest);
  const isKnown = comparable.some((node) => node.snapshot === snapshot);
  const root = isKnown ? newestRoot(comparable, parts.store) : undefined;
  return root?.snapshot == null ? { snapshot, root: null } : { snapshot: root.snapshot, root };
}

/** The one of these nodes that came into force last. */
function newestRoot(nodes: readonly Node[], store: Pick<Store, "rootsInForce">): Node | undefined {
  const roots = new Map(nodes.filter((node) => node.parent === null).map((node) => [node.id, node]));
  const newest = store.rootsInForce().findLast((root) => roots.has(root.node));
  return newest && roots.get(newest.node);
}

async function acceptedScore(
  task: ResolvedTask,
  snapshot: string,
  parts: ScoringParts,
  signal: AbortSignal,
): Promise<Iterate> {
  const root = await scoredStart(task, snapshot, "root", parts, signal);
  refuseFailed(task, root);
  return root;
}

function refuseFailed(task: ResolvedTask, { verdict, feedback }: Pick<Node, "verdict" | "feedback">): void {
  if (!isFailed(verdict) || task.definition.baseline !== "mustScore") return;
  throw new ExitError(
    "baseline-fails",
    `The solution of task ${task.id} does not score (${verdict}): ${feedback ?? ""}\n` +
      `Mend it, or set "baseline": "mayFail" in ${task.file} to let the run begin by debugging it.`,
  );
}

/** A solution that steps begin from, scored under the evaluator as it is now. @throws ExitError `root-unscored`. */
export async function scoredStart(
  task: ResolvedTask,
  snapshot: string,
  kind: "root" | "node",
  parts: ScoringParts,
  signal: AbortSignal,
): Promise<Iterate> {
  const key = `${kind}-${snapshot.slice(0, 12)}-${task.evaluatorDigest.slice(0, 12)}`;
  const solution = await parts.snapshots.read(snapshot);
  const request = { key, run: null, task, snapshot, solution, isRoot: kind === "root" };
  let result = await parts.scorer.score(request, signal);
  if (result.quality === null) result = await parts.scorer.score({ ...request, key: `${key}-again` }, signal);
  const { verdict, score, quality, qualitySE, feedback, evidence } = result;
  if (quality !== null) return { snapshot, verdict, score, quality, qualitySE, feedback };
  const note = evidence.score?.note ?? evidence.run?.note ?? "";
  throw new ExitError(
    "root-unscored",
    `The solution of task ${task.id} could not be scored (${verdict}). ${note} See what happens with "exit-ml score".`,
  );
}
