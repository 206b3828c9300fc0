/**
 * The loop of a run: decide, open, sample, score, close (EXIT.md section 2), with up to `pipelineDepth` groups
 * under way, so that group `t + 1` is sampled while group `t` is still being scored. Groups close in order.
 *
 * The loop keeps nothing that is not in the store: called again for the same run after any interruption, it
 * goes on where the records end.
 */
import { bufferChanges } from "./buffer.ts";
import { type BusyMeters, busyMeter } from "./busy.ts";
import { closeGroup } from "./closing.ts";
import { ExitError } from "./errors.ts";
import type { Group, Reply, Run } from "./history.ts";
import { type Flight, fly, type IterationPorts, landOutdated } from "./iteration.ts";
import { openGroup } from "./opening.ts";
import { isComparable } from "./past.ts";
import type { Clock, PolicyInfo, ResolvedTask, SampleOptions, Scorer, Sha256 } from "./ports.ts";
import { endsIteration, openRunView, type RunView } from "./run-view.ts";
import { measureSpread } from "./spread.ts";
import { presetOf } from "./strategy.ts";
import { isBetter } from "./verdict.ts";

export interface LoopContext extends Omit<IterationPorts, "busy"> {
  readonly run: Run;
  /** The run's tasks. */
  readonly tasks: readonly ResolvedTask[];
  readonly policyInfo: PolicyInfo;
  /** Name of the policy version that samples (policy-version.ts). */
  readonly policyVersion: string;
  readonly sha256: Sha256;
  readonly clock: Clock;
  /** Is there space for another group? @throws ExitError `disk-low` */
  readonly checkSpace: () => Promise<void>;
  /** Does what needs the model, when the model may have what it shares with revisions. */
  readonly withModel: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

export type LoopEnd = "iterations" | "hours" | "tokens" | "target" | "informative";

interface OpenGroup {
  readonly group: Group;
  readonly sampling: SampleOptions;
}

interface Sampled {
  readonly group: Group;
  readonly flight: Flight;
  /** How many came back. */
  readonly members: number;
}

/** With fewer members a group says nothing. */
const leastMembers = 2;

/**
 * Runs until the budget ends. Rejects with the signal's reason when aborted, and with the first error of a
 * port; what had been stored by then stays, and nothing goes on behind the caller's back.
 */
export async function runLoop(context: LoopContext, signal: AbortSignal): Promise<LoopEnd> {
  const { run, store } = context;
  const broken = new AbortController();
  const inner = AbortSignal.any([signal, broken.signal]);
  const view = openRunView(run, store);
  const spending = { ...run.spent };
  const startedAt = context.clock.monotonic();
  const elapsed = (): number => run.spent.ms + context.clock.monotonic() - startedAt;
  const { monotonic } = context.clock;
  const busy: BusyMeters = {
    model: busyMeter(monotonic, run.spent.modelMs),
    sandbox: busyMeter(monotonic, run.spent.sandboxMs),
  };
  const scorer = countingScorer(context.scorer, spending);
  const closings = new Map<number, Promise<void>>();
  const flights: Flight[] = [];
  const launch = (group: Group, sampling: SampleOptions): Flight => {
    const flight = launchGroup(group, sampling, { ...context, busy, scorer }, view, inner);
    // A broken scoring ends the session at once, not when its group would close.
    flight.scored.catch((error) => broken.abort(error));
    flights.push(flight);
    return flight;
  };

  const close = async (flight: Flight): Promise<void> => {
    const replies = await flight.scored;
    Object.assign(spending, { ms: elapsed(), modelMs: busy.model.ms(), sandboxMs: busy.sandbox.ms() });
    await closeFlight(flight, replies, context, view, spending, inner);
  };
  const closeInOrder = (iteration: number, flight: Flight): void => {
    const closing = (async () => {
      await closings.get(iteration - 1);
      await close(flight);
    })();
    closing.catch((error) => broken.abort(error));
    closings.set(iteration, closing);
  };
  const checkSpace = (): Promise<void> =>
    context.checkSpace().catch(async (error: unknown) => {
      // What is under way needs little more: it is finished before the run pauses.
      await Promise.all(closings.values());
      throw error;
    });
  const sample = (open: () => Promise<OpenGroup> | OpenGroup): Promise<Sampled> =>
    context.withModel(async () => {
      const { group, sampling } = await open();
      const flight = launch(group, sampling);
      return { group, flight, members: await flight.sampled };
    }, inner);

  try {
    const open = new Map(store.openGroups(run.id).map((entry) => [entry.group.iteration, entry]));
    for (let iteration = view.firstIteration; ; iteration++) {
      await closings.get(iteration - run.settings.pipelineDepth);
      inner.throwIfAborted();
      const resumed = open.get(iteration);
      const end = budgetEnd(context, view, iteration, { ...spending, ms: elapsed() });
      // A group that was opened is always finished: its replies are paid for.
      if (end !== null && resumed === undefined) {
        await Promise.all(closings.values());
        return end;
      }
      await checkSpace();
      const attempt = view.lostFirstTry(iteration) ? 1 : 0;
      let sampled = await sample(() => resumed ?? openNext(context, view, iteration, attempt, inner));
      if (sampled.members < leastMembers && sampled.group.attempt === 0) {
        if (!sampled.flight.outdated)
          context.observer.message?.(
            "warn",
            `Fewer than two replies of ${sampled.group.id} came back; it is sampled once more.`,
          );
        await closings.get(iteration - 1);
        await close(sampled.flight);
        sampled = await sample(() => openNext(context, view, iteration, 1, inner));
      }
      closeInOrder(iteration, sampled.flight);
    }
  } catch (error) {
    broken.abort(error);
    await Promise.allSettled([...closings.values(), ...flights.map((flight) => flight.scored)]);
    throw inner.reason ?? error;
  }
}

type Spending = { -readonly [name in keyof Run["spent"]]: number };

/** The scorer, with each score counted, and those that had been known. */
function countingScorer({ score }: Scorer, spending: Spending): Scorer {
  return {
    async score(request, signal) {
      const result = await score(request, signal);
      spending.scored++;
      if (result.cached) spending.reused++;
      return result;
    },
  };
}

function taskOf(context: LoopContext, name: string): ResolvedTask {
  const task = context.tasks.find((candidate) => candidate.id === name);
  if (task === undefined) throw new ExitError("task-unknown", `Task ${name} is not part of this run.`);
  return task;
}

function launchGroup(
  group: Group,
  sampling: SampleOptions,
  context: LoopContext & Pick<IterationPorts, "busy">,
  view: RunView,
  signal: AbortSignal,
): Flight {
  const task = taskOf(context, group.task);
  if (group.evaluator !== task.evaluatorDigest) {
    const text = `${group.id} was begun before task ${task.id} was edited: its scores are not comparable with new ones, so its iteration is sampled anew.`;
    context.observer.message?.("warn", text);
    return landOutdated(group);
  }
  const start = view.current.byId.get(group.start);
  if (start === undefined) throw new RangeError(`group ${group.id} starts at an unknown node`);
  const canSample = group.policy === context.policyVersion;
  if (!canSample) {
    const text = `${group.id} was begun by another model: it is closed with the replies it has.`;
    context.observer.message?.("warn", text);
  }
  return fly(group, start, sampling, task, context, canSample, signal);
}

async function openNext(
  context: LoopContext,
  view: RunView,
  iteration: number,
  attempt: number,
  signal: AbortSignal,
): Promise<OpenGroup> {
  const { run, store, observer } = context;
  const opened = await openGroup(
    { run, iteration, attempt, basis: view.basis, roots: view.roots },
    view.visibleAt(iteration),
    { ...context, taskOf: (name) => taskOf(context, name) },
    signal,
  );
  for (const sentence of opened.shortened) observer.message?.("warn", sentence);
  const { opening, prompt } = opened;
  const sampling = { maxTokens: run.settings.maxReplyTokens, schema: taskOf(context, opening.task).schema };
  store.openGroup(opening, prompt, sampling);
  observer.groupOpened?.(opening, opened.promptTokens);
  const group: Group = {
    ...opening,
    prompt,
    state: "open",
    closedSeq: null,
    learnability: null,
    informative: null,
    replies: [],
  };
  return { group, sampling };
}

async function closeFlight(
  flight: Flight,
  replies: readonly Reply[],
  context: LoopContext,
  view: RunView,
  spending: Spending,
  signal: AbortSignal,
): Promise<void> {
  const { run, store, observer } = context;
  const { opening, outdated } = flight;
  const isClosed = replies.length >= leastMembers && !outdated;
  const { bonus } = presetOf(opening.strategy, run.settings);
  const measured = bonus && isClosed ? await measureSpread(opening.id, replies, context, signal) : null;
  const { closing, closed } = closeGroup(
    {
      opening,
      replies,
      state: isClosed ? "closed" : "infra",
      closedSeq: view.nextClosedSeq(),
      distances: measured?.distances ?? null,
      embedding: measured?.source ?? null,
      paper: run.settings.paper,
    },
    view.current,
    context.sha256,
  );
  const before = view.current.buffer;
  const draws = view.add(closed, closing.nodes);
  const { buffer } = view.current;
  if (endsIteration(closed)) spending.iterations++;
  for (const reply of replies) spending.tokens += reply.tokens?.length ?? 0;
  const changes = bufferChanges(before, buffer);
  const whole = { ...closing, draws, buffer, bufferChanges: changes, spent: { ...spending } };
  store.closeGroup(whole);
  observer.groupClosed?.(whole, opening);
}

function budgetEnd(
  context: LoopContext,
  view: RunView,
  iteration: number,
  spent: Run["spent"],
): LoopEnd | null {
  const { budget } = context.run;
  if (budget.target !== null && targetReached(budget.target, context.tasks, view)) return "target";
  if (budget.iterations !== null && iteration >= budget.iterations) return "iterations";
  if (budget.informative !== undefined && view.informative() >= budget.informative) return "informative";
  if (budget.tokens !== null && spent.tokens >= budget.tokens) return "tokens";
  if (budget.hours !== null && spent.ms >= budget.hours * 3_600_000) return "hours";
  return null;
}

/** Every task has a revision that reached it. */
function targetReached(target: number, tasks: readonly ResolvedTask[], view: RunView): boolean {
  return tasks.every(({ id, definition }) =>
    view.current.nodes.some(
      (node) =>
        node.task === id &&
        node.verdict === "scored" &&
        node.score !== null &&
        isComparable(view.current, node) &&
        !isBetter(target, node.score, definition.metric),
    ),
  );
}
