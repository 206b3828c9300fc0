/** Writing a revision into the working tree, and taking it back. Nothing else of the workspace is touched. */
import { ExitError } from "../core/errors.ts";
import type { Clock, ResolvedTask, Snapshots, Solution, Store, Workspace } from "../core/ports.ts";
import { findNode, rootOf, snapshotOf } from "./tree.ts";

export interface ApplyParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly store: Pick<Store, "nodes" | "rootsInForce" | "applied" | "setApplied">;
  readonly clock: Clock;
}

/**
 * Applies a node. If the working solution is the root's, or one the history already holds, it is replaced; else
 * the revision's changes are merged into it, or nothing is written.
 * @throws ExitError `apply-conflict` naming the files.
 */
export async function applyNode(
  name: string,
  taskName: string | null,
  parts: ApplyParts,
): Promise<{ node: string; paths: string[]; merged: boolean }> {
  const nodes = parts.store.nodes();
  const node = findNode(parts.store, name, taskName);
  const task = await parts.workspace.resolve(node.task);
  const current = await parts.workspace.solution(task);
  const before = await parts.snapshots.save(current, null);
  const known = nodes.some((candidate) => candidate.task === node.task && candidate.snapshot === before);
  const base = snapshotOf(rootOf(nodes, node));
  const revision = snapshotOf(node);
  const target = known
    ? await parts.snapshots.read(revision)
    : await mergeOrRefuse(base, current, revision, `Node ${node.id}`, parts.snapshots);
  const after = await parts.snapshots.save(target, before);
  const earlier = parts.store.applied();
  // Applied on top of another one: taking it back leads to what stood before both.
  const isChained = earlier !== null && earlier.task === node.task && earlier.after === before;
  const at = parts.clock.now();
  await refuseMoved(task, current, parts.workspace);
  // Written down first: a crash between the two is then undone by `revert`.
  parts.store.setApplied({
    node: node.id,
    task: node.task,
    at,
    before: isChained ? earlier.before : before,
    after,
  });
  try {
    await parts.workspace.write(task, target);
  } catch (error) {
    // Refused before anything was written: the record is as it was.
    const now = await parts.snapshots.save(await parts.workspace.solution(task), null);
    if (now === before) parts.store.setApplied(earlier);
    throw error;
  }
  return { node: node.id, paths: changedPaths(current, target), merged: !known };
}

/** @throws ExitError `nothing-applied`, `apply-conflict`. */
export async function revertApplied(parts: ApplyParts): Promise<{ node: string; paths: string[] }> {
  const applied = parts.store.applied();
  if (applied === null) throw new ExitError("nothing-applied", "No applied revision is there to take back.");
  const task: ResolvedTask = await parts.workspace.resolve(applied.task);
  const current = await parts.workspace.solution(task);
  const now = await parts.snapshots.save(current, applied.after);
  const untouched = now === applied.after || now === applied.before;
  const target = untouched
    ? await parts.snapshots.read(applied.before)
    : await mergeOrRefuse(
        applied.after,
        current,
        applied.before,
        "Taking the revision back",
        parts.snapshots,
      );
  await refuseMoved(task, current, parts.workspace);
  await parts.workspace.write(task, target);
  parts.store.setApplied(null);
  return { node: applied.node, paths: changedPaths(current, target) };
}

/** What was saved in the editor meanwhile must not be written over. */
async function refuseMoved(task: ResolvedTask, seen: Solution, workspace: Workspace): Promise<void> {
  const moved = changedPaths(seen, await workspace.solution(task));
  if (moved.length > 0)
    throw new ExitError(
      "workspace-moved",
      `${moved.join(", ")} changed meanwhile. Nothing was written; try again.`,
    );
}

async function mergeOrRefuse(
  base: string,
  ours: Solution,
  theirs: string,
  what: string,
  snapshots: Snapshots,
): Promise<Solution> {
  const { merged, conflicts } = await snapshots.merge(base, ours, theirs);
  if (conflicts.length === 0) return merged;
  throw new ExitError(
    "apply-conflict",
    `${what} changes the same lines as you did in ${conflicts.join(", ")}. Nothing was written. ` +
      "Put your changes aside, or copy what you want from the diff.",
  );
}

function changedPaths(from: Solution, to: Solution): string[] {
  const before = new Map(from.map((file) => [file.path, file]));
  const after = new Map(to.map((file) => [file.path, file]));
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => {
      const [a, b] = [before.get(path), after.get(path)];
      return !a || !b || a.executable !== b.executable || Buffer.compare(a.bytes, b.bytes) !== 0;
    })
    .sort();
}
