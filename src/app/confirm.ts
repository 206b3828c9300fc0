/**
 * Confirming the winner of a task: the best revisions and the root scored on fresh seeds, then winner and root once on
 * the holdout (core/confirmation.ts). Every score is kept by its seed as it is made, so a confirmation that was
 * interrupted goes on where it ended, and a second one costs nothing.
 */
import {
  type Confirmation,
  candidatesOf,
  compare,
  confirmationSeeds,
  firstLook,
  type HoldoutScore,
  isDeterministic,
  type Rescored,
} from "../core/confirmation.ts";
import { ExitError } from "../core/errors.ts";
import type { Node } from "../core/history.ts";
import type {
  Clock,
  ResolvedTask,
  ScoreRequest,
  ScoreResult,
  Scorer,
  Snapshots,
  Store,
  Workspace,
} from "../core/ports.ts";
import type { ConfirmReport } from "../core/reports.ts";
import { rootsOf, snapshotOf } from "./tree.ts";

export interface ConfirmParts {
  readonly workspace: Pick<Workspace, "holdout">;
  readonly snapshots: Pick<Snapshots, "read">;
  readonly store: Pick<Store, "nodes" | "rootsInForce" | "putConfirmation">;
  readonly scorer: Scorer;
  readonly clock: Clock;
  readonly progress: (text: string) => void;
}

/** Confirms a task, or every task that was searched. @throws ExitError `nothing-scored` if none was. */
export async function confirmTasks(
  name: string | null,
  parts: ConfirmParts & { readonly workspace: Pick<Workspace, "resolve"> },
  signal: AbortSignal,
): Promise<ConfirmReport> {
  const searched = new Set(parts.store.nodes().map(({ task }) => task));
  const names = name === null ? [...searched] : [name];
  if (!names.some((task) => searched.has(task)))
    throw new ExitError("nothing-scored", 'There is nothing to confirm yet. Start with "exit-ml run".');
  const confirmations: Confirmation[] = [];
  const nothingBetter: string[] = [];
  for (const task of names) {
    const confirmation = await confirmTask(await parts.workspace.resolve(task), null, parts, signal);
    if (confirmation === null) nothingBetter.push(task);
    else confirmations.push(confirmation);
  }
  return { confirmations, nothingBetter };
}

/** @returns null if no revision of the task is better than its root by the scores of the search */
export async function confirmTask(
  task: ResolvedTask,
  run: string | null,
  parts: ConfirmParts,
  signal: AbortSignal,
): Promise<Confirmation | null> {
  // Scores of another evaluator do not compare.
  const nodes = parts.store.nodes().filter(({ evaluator }) => evaluator === task.evaluatorDigest);
  const root = rootsOf(parts.store, nodes).get(task.id);
  if (root === undefined) return null;
  const candidates = candidatesOf(nodes, root);
  if (candidates.length === 0) return null;
  const rescore = rescorer(task, run, [root, ...candidates], parts, signal);
  // All alike: deterministic, so further seeds would tell nothing. Otherwise each gets all of them.
  let solutions = await rescore(confirmationSeeds.slice(0, firstLook));
  if (!isDeterministic(solutions)) solutions = await rescore(confirmationSeeds);
  const [ofRoot, ...ofCandidates] = solutions;
  if (ofRoot === undefined) return null;
  const { comparisons, winner } = compare(ofRoot, ofCandidates);
  const { worst, best } = task.definition.metric;
  const confirmation: Confirmation = {
    task: task.id,
    at: parts.clock.now(),
    evaluator: task.evaluatorDigest,
    range: { worst, best },
    root: ofRoot,
    candidates: ofCandidates,
    comparisons,
    winner,
    holdout: await holdoutScores(task, run, root, nodeOf(candidates, winner), parts, signal),
  };
  parts.store.putConfirmation(confirmation);
  return confirmation;
}

function nodeOf(nodes: readonly Node[], id: string | null): Node | null {
  return nodes.find((node) => node.id === id) ?? null;
}

/** Scores each node on each seed; as many at once as the machine has room for. */
function rescorer(
  task: ResolvedTask,
  run: string | null,
  nodes: readonly Node[],
  parts: ConfirmParts,
  signal: AbortSignal,
): (seeds: readonly number[]) => Promise<readonly Rescored[]> {
  const done = new Set<string>();
  return async (seeds) => {
    const total = nodes.length * seeds.length;
    const tell = (): void =>
      parts.progress(
        `Confirming the best ${nodes.length - 1} of ${task.id} against the root: ${done.size} of ${total} scores on fresh seeds`,
      );
    tell();
    const scored = await settled(
      nodes.flatMap((node) =>
        seeds.map(async (seed) => {
          const { verdict, score, quality } = await scoreNode(task, run, node, { seed }, parts, signal);
          done.add(`${node.id} ${seed}`);
          // One line for about each seed.
          if (done.size % nodes.length === 0) tell();
          return { node: node.id, seed, verdict, score, quality };
        }),
      ),
    );
    return nodes.map(({ id }) => ({
      node: id,
      trials: scored.filter(({ node }) => node === id).map(({ node: _, ...trial }) => trial),
    }));
  };
}

/** All of them, or the first failure once none is under way any more. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

async function scoreNode(
  task: ResolvedTask,
  run: string | null,
  node: Node,
  how: Pick<ScoreRequest, "seed" | "split">,
  { snapshots, scorer }: Pick<ConfirmParts, "snapshots" | "scorer">,
  signal: AbortSignal,
): Promise<ScoreResult> {
  const snapshot = snapshotOf(node);
  const parts = ["confirm", snapshot.slice(0, 12), task.evaluatorDigest.slice(0, 12), how.seed ?? how.split];
  const solution = await snapshots.read(snapshot);
  const request = {
    ...how,
    key: parts.join("-"),
    run,
    task,
    snapshot,
    solution,
    isRoot: node.parent === null,
  };
  const result = await scorer.score(request, signal);
  if (result.quality !== null) return result;
  return scorer.score({ ...request, key: `${request.key}-again` }, signal);
}

async function holdoutScores(
  task: ResolvedTask,
  run: string | null,
  root: Node,
  winner: Node | null,
  parts: ConfirmParts,
  signal: AbortSignal,
): Promise<Confirmation["holdout"]> {
  if (winner === null) return null;
  const inHoldout = await parts.workspace.holdout(task);
  if (inHoldout === null) return null;
  parts.progress(`Scoring ${winner.id} and the root of ${task.id} on the holdout`);
  const score = async (node: Node): Promise<HoldoutScore> => {
    const result = await scoreNode(inHoldout, run, node, { split: "holdout" }, parts, signal);
    return { verdict: result.verdict, score: result.score, quality: result.quality };
  };
  // The root first: its outputs show whether the evaluator works there.
  const ofRoot = await score(root);
  return { root: ofRoot, winner: await score(winner) };
}
