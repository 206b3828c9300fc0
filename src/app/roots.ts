/** The root of a task: the user's solution as it stands when a run begins (EXIT.md section 1). */
import { ExitError } from "../core/errors.ts";
import type { Iterate } from "../core/evaluate/cell.ts";
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
 * evaluator as it is now. A solution that is refused leaves no trace.
 * @throws ExitError `baseline-fails` or `root-unscored`: the task cannot be run as it is.
 */
export async function ensureRoot(task: ResolvedTask, parts: RootParts, signal: AbortSignal): Promise<void> {
  const { snapshot, root } = await currentRoot(task, parts);
  const score = await acceptedScore(task, snapshot, parts, signal);
  if (root !== null) {
    parts.store.setRootScore(root, score);
    return;
  }
  const blank = { parent: null, depth: 0, goal: null, group: null, policy: null, heldOut: false } as const;
  parts.store.addRoot({
    ...blank,
    ...score,
    id: `n${parts.store.nodes().length + 1}`,
    task: task.id,
  });
}

/**
 * The newest root if the working solution is a node of the task, else the working solution.
 * @returns root: its node; null while it is none
 */
async function currentRoot(
  task: ResolvedTask,
  parts: Pick<RootParts, "workspace" | "snapshots"> & { readonly store: Pick<Store, "nodes"> },
): Promise<{ readonly snapshot: string; readonly root: string | null }> {
  const solution = await parts.workspace.solution(task);
  const snapshot = await parts.snapshots.save(solution, null);
  const ofTask = parts.store.nodes().filter((node) => node.task === task.id);
  const root = ofTask.findLast((node) => node.parent === null);
  const isKnown = ofTask.some((node) => node.snapshot === snapshot);
  if (root?.snapshot != null && isKnown) return { snapshot: root.snapshot, root: root.id };
  return { snapshot, root: null };
}

/** The root with its score, without making it a node. @throws ExitError as `ensureRoot`. */
export async function scoredRoot(
  task: ResolvedTask,
  parts: Omit<RootParts, "store"> & { readonly store: Pick<Store, "nodes"> },
  signal: AbortSignal,
): Promise<Iterate> {
  const { snapshot } = await currentRoot(task, parts);
  return acceptedScore(task, snapshot, parts, signal);
}

async function acceptedScore(
  task: ResolvedTask,
  snapshot: string,
  parts: Pick<RootParts, "snapshots" | "scorer">,
  signal: AbortSignal,
): Promise<Iterate> {
  const root = await scoredStart(task, snapshot, "root", parts, signal);
  if (isFailed(root.verdict) && task.definition.baseline === "mustScore") {
    throw new ExitError(
      "baseline-fails",
      `The solution of task ${task.id} does not score (${root.verdict}): ${root.feedback ?? ""}\n` +
        `Mend it, or set "baseline": "mayFail" in ${task.file} to let the run begin by debugging it.`,
    );
  }
  return root;
}

/** A solution that steps begin from, scored under the evaluator as it is now. @throws ExitError `root-unscored`. */
export async function scoredStart(
  task: ResolvedTask,
  snapshot: string,
  kind: "root" | "node",
  parts: Pick<RootParts, "snapshots" | "scorer">,
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
