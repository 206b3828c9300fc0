/**
 * Evaluating policies: how each improves a solution step by step, side by side (EXIT.md section 4). Called again
 * with more chains or more steps it adds to what is stored, so a caller can go on in blocks until it knows enough.
 */
import { advance, chainsOf, type LiveCell, promptFrom } from "../core/evaluate/advance.ts";
import { cellOf, goalFrom, type Protocol } from "../core/evaluate/cell.ts";
import type { Trajectory } from "../core/evaluate/chain.ts";
import { commonStarts, curvesOf, type MeasuredCell, type MeasuredPolicy } from "../core/evaluate/curves.ts";
import { refuseTooLarge, trialNeed } from "../core/need.ts";
import { evaluatedName, shownName } from "../core/policy-version.ts";
import type { EngineResources, Policy, Sandbox, Scorer } from "../core/ports.ts";
import type { EvaluationReport } from "../core/reports.ts";
import { drawSeed } from "../core/rng.ts";
import type { EvaluateRequest } from "./app.ts";
import { findStarts, type Start, tasksToEvaluate } from "./evaluation-starts.ts";
import { modelTurns } from "./gpu-turns.ts";
import { examineSandbox } from "./run.ts";
import type { RunParts } from "./run-parts.ts";
import { checkSpace } from "./space.ts";

type EvaluateParts = Omit<RunParts, "watch">;

/** Nothing of an evaluation enters tree, buffer or export. @throws ExitError for anything that keeps it from starting. */
export async function evaluatePolicies(
  request: EvaluateRequest,
  parts: EvaluateParts,
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const began = parts.clock.monotonic();
  const tasks = await tasksToEvaluate(request, parts.workspace);
  parts.emit({ type: "progress", text: "Looking for the sandbox engine" });
  const sandbox = await parts.sandbox();
  const engine = await sandbox.resources();
  await enoughSpace(engine, parts);
  for (const task of tasks) refuseTooLarge(trialNeed(task.definition), engine, `Task ${task.id}`);
  await examineSandbox(request, tasks, sandbox, parts, signal);
  const crew = { sandbox, engine, scorer: await parts.scorer() };
  const policies: Policy[] = [];
  try {
    // All of them before the long work: a name that is wrong is said at once. Weights are loaded when needed.
    for (const model of request.policies) policies.push(await parts.openPolicy(model, signal));
    const { starts, leftOut } = await findStarts(tasks, request, { ...parts, ...crew }, signal);
    const made: EvaluatedPolicy[] = [];
    for (const policy of policies) {
      made.push(await evaluateOne(policy, starts, request, crew, parts, signal));
      await policy.unload?.();
    }
    const sum = (of: (policy: EvaluatedPolicy) => number): number =>
      made.reduce((total, policy) => total + of(policy), 0);
    return {
      K: request.K,
      n: request.n,
      seed: request.seed,
      starts: starts.map(({ task, node, iterate }) => {
        const { verdict, quality } = iterate;
        return { task: task.id, node, verdict, quality };
      }),
      sameTask: request.heldOutStarts || tasks.every((task) => task.definition.split === "train"),
      leftOut,
      protocols: request.protocols.map((protocol) => {
        const measured = made.map(({ name, cells }) => ({ policy: name, cells: cells.get(protocol) ?? [] }));
        return resultOf(protocol, measured, request);
      }),
      steps: { made: sum(({ steps }) => steps.made), earlier: sum(({ steps }) => steps.earlier) },
      scorings: {
        asked: sum(({ scorings }) => scorings.asked),
        cached: sum(({ scorings }) => scorings.cached),
      },
      ms: parts.clock.monotonic() - began,
    };
  } finally {
    await Promise.allSettled(policies.map((policy) => policy.close()));
  }
}

const enoughSpace = (engine: EngineResources, parts: EvaluateParts): Promise<void> =>
  checkSpace({ state: parts.stateFolders, engine: engine.dataFolder }, parts.freeBytes);

function resultOf(
  protocol: Protocol,
  policies: readonly MeasuredPolicy[],
  { K, seed, heldOutStarts }: EvaluateRequest,
): EvaluationReport["protocols"][number] {
  const how = { protocol, K, seed, areTasks: !heldOutStarts };
  return { protocol, starts: commonStarts(policies).length, policies: curvesOf(policies, how) };
}

interface Crew {
  readonly sandbox: Sandbox;
  readonly engine: EngineResources;
  readonly scorer: Scorer;
}

interface EvaluatedPolicy {
  readonly name: string;
  /** By protocol, one for each start. */
  readonly cells: ReadonlyMap<Protocol, readonly MeasuredCell[]>;
  readonly steps: EvaluationReport["steps"];
  readonly scorings: EvaluationReport["scorings"];
}

async function evaluateOne(
  policy: Policy,
  starts: readonly Start[],
  request: EvaluateRequest,
  { engine, scorer }: Crew,
  parts: EvaluateParts,
  signal: AbortSignal,
): Promise<EvaluatedPolicy> {
  const { store, snapshots, sha256, emit } = parts;
  const records = store.evaluations;
  emit({ type: "progress", text: "Loading the model" });
  const policyInfo = await policy.describe(signal);
  const name = evaluatedName(policyInfo);
  const tasks = starts.map(({ task }) => task);
  const cells = await openCells(name, starts, request, { ...parts, policy, policyInfo }, signal);
  const stepsOf = ({ cell }: LiveCell) =>
    records.steps(cell.id).filter(({ k, chain }) => k <= request.K && chain < request.n);
  const earlier = cells.flatMap(stepsOf).length;
  const total = cells.length * request.n * request.K;
  if (earlier > 0)
    emit({
      type: "message",
      level: "info",
      text: `Going on with an earlier evaluation of ${shownName(policyInfo)}: ${earlier} of ${total} steps are there; another --seed begins anew.`,
    });
  let begun = earlier;
  await advance(
    cells,
    request,
    {
      policy,
      policyInfo,
      snapshots,
      scorer,
      records,
      sha256,
      checkSpace: () => enoughSpace(engine, parts),
      withModel: modelTurns({ tasks, policy, policyInfo, arbiter: parts.arbiter, capacity: engine }),
      onStep: ({ task, protocol }, k, chains) => {
        const done = Math.min(99, Math.floor((100 * begun) / total));
        begun += chains;
        const text = `${shownName(policyInfo)}, ${done} %: ${task}, ${protocol}, step ${k} of ${request.K}, ${chains} chains`;
        emit({ type: "progress", text });
      },
      warn: (text) => emit({ type: "message", level: "warn", text }),
    },
    signal,
  );
  const measured = new Map<Protocol, MeasuredCell[]>(request.protocols.map((protocol) => [protocol, []]));
  for (const live of cells)
    measured.get(live.cell.protocol)?.push(await measure(live, request, { ...parts, scorer }, signal));
  const steps = cells.flatMap(stepsOf);
  const asked = steps.filter(({ outcome }) => outcome?.cached != null);
  return {
    name,
    cells: measured,
    steps: { made: steps.length, earlier },
    scorings: { asked: asked.length, cached: asked.filter(({ outcome }) => outcome?.cached).length },
  };
}

/** One cell for each protocol and start. */
async function openCells(
  policy: string,
  starts: readonly Start[],
  { protocols, seed, maxReplyTokens }: EvaluateRequest,
  parts: Pick<EvaluateParts, "store" | "snapshots" | "sha256"> & Parameters<typeof promptFrom>[3],
  signal: AbortSignal,
): Promise<LiveCell[]> {
  const cells: LiveCell[] = [];
  for (const { task, image, iterate } of starts) {
    const sampling = { maxTokens: maxReplyTokens, schema: task.schema };
    const prompt = await promptFrom({ task, cell: { sampling } }, iterate, goalFrom(iterate), parts, signal);
    for (const protocol of protocols) {
      const cell = cellOf(
        {
          policy,
          task: task.id,
          start: iterate.snapshot,
          protocol,
          seed,
          evaluatorDigest: task.evaluatorDigest,
          image,
          prompt: parts.sha256(prompt.rendered),
          sampling,
        },
        parts.sha256,
      );
      parts.store.evaluations.openCell(cell);
      cells.push({ cell, task, root: iterate });
    }
  }
  return cells;
}

/** The chains of a cell as they are reported. */
async function measure(
  live: LiveCell,
  request: EvaluateRequest,
  parts: Pick<EvaluateParts, "store" | "snapshots"> & { readonly scorer: Scorer },
  signal: AbortSignal,
): Promise<MeasuredCell> {
  const states = chainsOf(live, request, parts.store.evaluations);
  const finished = states.flatMap((state) => (state.kind === "done" ? [state.trajectory] : []));
  const again = live.cell.protocol === "greedy" ? await scoreAgain(live, finished, parts, signal) : null;
  const chains = finished.flatMap(({ quality, valid, best }) => {
    const bestQuality = best.map((iterate) =>
      again === null ? iterate.quality : again.get(iterate.snapshot),
    );
    const known = bestQuality.filter((value) => value != null);
    return known.length === best.length ? [{ quality, valid, bestQuality: known }] : [];
  });
  return { chains, dropped: states.length - chains.length };
}

/**
 * Scores every solution that was once the best of a chain on a fresh seed: the score it was chosen by is too good.
 * @returns by snapshot; null: no quality twice.
 */
async function scoreAgain(
  { cell, task }: LiveCell,
  chains: readonly Trajectory[],
  { snapshots, scorer }: Pick<EvaluateParts, "snapshots"> & { readonly scorer: Scorer },
  signal: AbortSignal,
): Promise<Map<string, number | null>> {
  const chosen = new Set(chains.flatMap(({ best }) => best.map((iterate) => iterate.snapshot)));
  const seed = drawSeed(cell.seed, 0, "score again", 0);
  const once = async (snapshot: string, attempt: string): Promise<number | null> => {
    const key = `${cell.id}-${snapshot.slice(0, 12)}${attempt}`;
    const solution = await snapshots.read(snapshot);
    const request = { key, run: null, task, snapshot, solution, isRoot: false, seed };
    return (await scorer.score(request, signal)).quality;
  };
  const qualities = new Map<string, number | null>();
  const scorings = [...chosen].map(async (snapshot) => {
    qualities.set(snapshot, (await once(snapshot, "")) ?? (await once(snapshot, "b")));
  });
  // Even when one of them broke, the others are waited for: nothing goes on unseen.
  for (const end of await Promise.allSettled(scorings)) if (end.status === "rejected") throw end.reason;
  return qualities;
}
