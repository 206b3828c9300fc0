/**
 * Chains in motion: every chain of every cell takes its steps to K. Chains that start alike share one prompt, and
 * while one cell's results are scored the next cell's replies are sampled. What is made is stored as it ends, and
 * nothing is kept that is not stored: called again it goes on where the records end.
 */
import { isExitError } from "../errors.ts";
import { groupBy } from "../group-by.ts";
import type { Goal, Prompt, SampledReply } from "../history.ts";
import { outcomeOf } from "../iteration.ts";
import type {
  EvaluationRecords,
  Policy,
  PolicyInfo,
  ResolvedTask,
  Scorer,
  Sha256,
  Snapshots,
} from "../ports.ts";
import { buildPrompt } from "../prompt/build.ts";
import { slots } from "../slots.ts";
import {
  type Cell,
  type EvaluationStep,
  goalFrom,
  type Iterate,
  type StepOutcome,
  type StepPlace,
  stepKey,
  stepSeed,
} from "./cell.ts";
import { type ChainState, followChain } from "./chain.ts";

/** A cell with what its steps are made of. */
export interface LiveCell {
  readonly cell: Cell;
  readonly task: ResolvedTask;
  readonly root: Iterate;
}

export interface AdvancePorts {
  readonly policy: Policy;
  readonly policyInfo: PolicyInfo;
  readonly snapshots: Snapshots;
  readonly scorer: Scorer;
  readonly records: EvaluationRecords;
  readonly sha256: Sha256;
  /** Does what needs the model, when the model may have what it shares with revisions. */
  readonly withModel: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Is there space for more? @throws ExitError `disk-low` */
  readonly checkSpace: () => Promise<void>;
  /** Called before replies of so many chains are sampled. */
  readonly onStep: (cell: Cell, k: number, chains: number) => void;
  readonly warn: (text: string) => void;
}

/** Where the chains 0 to n - 1 of a cell stand, by what is stored. */
export function chainsOf(
  { cell, root }: LiveCell,
  reach: { readonly K: number; readonly n: number },
  records: Pick<EvaluationRecords, "steps">,
): ChainState[] {
  const byChain = groupBy(records.steps(cell.id), (step) => step.chain);
  return Array.from({ length: reach.n }, (_, chain) =>
    followChain(chain, root, byChain.get(chain) ?? [], cell.protocol, reach.K),
  );
}

/** A step whose reply is wanted. */
interface Due {
  readonly place: StepPlace;
  readonly start: Iterate;
  readonly goal: Goal;
}

/**
 * Returns when every chain is done or dropped. Rejects with the signal's reason when aborted, and with the first
 * error of a port; by then nothing goes on any more.
 */
export async function advance(
  cells: readonly LiveCell[],
  reach: { readonly K: number; readonly n: number },
  ports: AdvancePorts,
  signal: AbortSignal,
): Promise<void> {
  const broken = new AbortController();
  const inner = AbortSignal.any([signal, broken.signal]);
  const scorings = new Map<LiveCell, Promise<void>[]>(cells.map((live) => [live, []]));
  const score = (live: LiveCell, step: EvaluationStep, start: Iterate): void => {
    const scoring = scoreStep(live, step, start, ports, inner);
    scoring.catch((error) => broken.abort(error));
    scorings.get(live)?.push(scoring);
  };
  try {
    const left = new Set(cells);
    while (left.size > 0) {
      for (const live of left) {
        await Promise.all(scorings.get(live) ?? []);
        scorings.set(live, []);
        inner.throwIfAborted();
        const due: Due[] = [];
        for (const state of chainsOf(live, reach, ports.records)) {
          if (state.kind === "score") score(live, state.step, state.start);
          if (state.kind === "sample") due.push({ ...state, goal: goalFrom(state.start) });
        }
        if (due.length > 0) {
          await ports.checkSpace();
          const take = (step: EvaluationStep, start: Iterate): void => score(live, step, start);
          await ports.withModel(() => sampleDue(live, due, ports, take, inner), inner);
        } else if (scorings.get(live)?.length === 0) left.delete(live);
      }
    }
  } catch (error) {
    broken.abort(error);
    await Promise.allSettled([...scorings.values()].flat());
    throw inner.reason ?? error;
  }
}

/** Samples one reply for each step; those that start alike from one prompt. */
async function sampleDue(
  live: LiveCell,
  due: readonly Due[],
  ports: AdvancePorts,
  take: (step: EvaluationStep, start: Iterate) => void,
  signal: AbortSignal,
): Promise<void> {
  const alike = groupBy(due, ({ start, goal }) => JSON.stringify([start.snapshot, goal, start.feedback]));
  ports.onStep(live.cell, Math.min(...due.map(({ place }) => place.k)), due.length);
  const turn = slots(ports.policyInfo.parallel);
  const batches = [...alike.values()].map((batch) =>
    turn(() => sampleBatch(live, batch, ports, take, signal)),
  );
  const ends = await Promise.allSettled(batches);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function sampleBatch(
  live: LiveCell,
  batch: readonly Due[],
  ports: AdvancePorts,
  take: (step: EvaluationStep, start: Iterate) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { cell, task } = live;
  const [first] = batch;
  if (first === undefined) return;
  const { start, goal } = first;
  const store = (reply: SampledReply, promptDigest: string): void => {
    const place = batch[reply.index]?.place;
    if (place === undefined) throw new RangeError(`reply ${reply.index} of a batch of ${batch.length}`);
    const { seed, text, finish, constrained, tokens, ms } = reply;
    const drawn = { seed, text, finish, constrained, tokens: tokens?.length ?? null, ms };
    const step: EvaluationStep = {
      ...place,
      ...drawn,
      start: start.snapshot,
      goal,
      prompt: promptDigest,
      outcome: null,
    };
    ports.records.addReply(cell.id, step);
    take(step, start);
  };
  const members = batch.map(({ place }, index) => ({ index, seed: stepSeed(cell, place) }));
  const prompt = await promptFrom(live, start, goal, ports, signal).catch((error: unknown) => {
    // At k = 0 the task itself does not fit; later it is the chain that wrote too much.
    if (isExitError(error, "context-overflow") && start.snapshot !== cell.start) return null;
    throw error;
  });
  if (prompt === null) {
    ports.warn(`A chain of task ${task.id} outgrew the model's context; its step counts as invalid.`);
    const nothing = {
      text: "",
      tokens: null,
      logprobs: null,
      finish: "length",
      constrained: null,
      ms: 0,
    } as const;
    for (const member of members) store({ ...member, ...nothing }, "");
    return;
  }
  const digest = ports.sha256(prompt.rendered);
  for await (const reply of ports.policy.sample(prompt, members, cell.sampling, signal)) store(reply, digest);
  signal.throwIfAborted();
}

/** The prompt of a step, as a search step has it. @throws ExitError `context-overflow`. */
export async function promptFrom(
  { task, cell }: { readonly task: ResolvedTask; readonly cell: Pick<Cell, "sampling"> },
  start: Iterate,
  goal: Goal,
  ports: Pick<AdvancePorts, "policy" | "policyInfo" | "snapshots">,
  signal: AbortSignal,
): Promise<Prompt> {
  const solution = await ports.snapshots.read(start.snapshot);
  const { messages, rendered } = await buildPrompt(
    { task, goal, solution, feedback: start.feedback },
    (written) => ports.policy.plan(written, signal),
    { contextLength: ports.policyInfo.contextLength, maxReplyTokens: cell.sampling.maxTokens },
  );
  return { messages, rendered };
}

async function scoreStep(
  { cell, task }: LiveCell,
  step: EvaluationStep,
  start: Iterate,
  { snapshots, scorer, records }: AdvancePorts,
  signal: AbortSignal,
): Promise<void> {
  if (step.finish === "lost") {
    records.addOutcome(cell.id, step, lost);
    return;
  }
  let cached: boolean | null = null;
  const watched: Scorer = {
    async score(request, until) {
      const result = await scorer.score(request, until);
      cached = result.cached;
      return result;
    },
  };
  const revision = {
    key: stepKey(cell, step),
    run: null,
    goal: step.goal,
    start,
    solution: await snapshots.read(start.snapshot),
    task,
  };
  const { outcome, broken } = await outcomeOf(
    { text: step.text, finish: step.finish },
    revision,
    { snapshots, scorer: watched },
    signal,
  );
  // Not stored: the step is scored again once the evaluator is mended.
  if (broken !== null) throw broken;
  const { answer: _, evidence: __, ...kept } = outcome;
  records.addOutcome(cell.id, step, { ...kept, cached });
}

const lost: StepOutcome = {
  edit: { kind: "none", repairs: [], problem: "The reply was lost by the model.", paths: [] },
  snapshot: null,
  verdict: "infra",
  score: null,
  quality: null,
  qualitySE: null,
  feedback: null,
  cached: null,
};
