/** Histories of one or two runs of a workspace: EXIT.md section 2 from iteration to iteration, and 3. */
import fc from "fast-check";
import { type Buffer, startWeights } from "../../src/core/buffer.ts";
import {
  type GroupOpening,
  type Node,
  nothingSpent,
  type RootInForce,
  type Run,
} from "../../src/core/history.ts";
import { decideNext, rewardSetting } from "../../src/core/opening.ts";
import type { ClosedGroup } from "../../src/core/ports.ts";
import { openRunView } from "../../src/core/run-view.ts";
import { type Decision, drawableEntries, presetOf } from "../../src/core/strategy.ts";
import { rewardRule } from "../../src/core/task.ts";
import {
  bareRequest,
  close,
  evaluator,
  membersForOracle,
  membersOf,
  outcomeOf,
  policyOf,
  rootNode,
  startForOracle,
  taskForOracle,
} from "./members.ts";
import { contents, deed, settings, settingsForOracle, strategy, task } from "./scenarios.ts";

const step = fc.record({
  deeds: fc.oneof(
    { weight: 30, arbitrary: fc.array(deed, { minLength: 2, maxLength: 6 }) },
    { weight: 1, arbitrary: fc.array(deed, { maxLength: 1 }) },
  ),
  /** A new policy version comes in before it. */
  promotion: fc.nat(40).map((n) => n === 0),
});

const run = fc.record({
  strategy,
  settings,
  seed: fc.nat(),
  /** Some of the tasks; none of them means all. */
  without: fc.array(fc.nat(2), { maxLength: 2 }),
  /** By task: the content that is the user's solution when the run begins. */
  roots: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
});

/** Of `length` iterations. */
export const historyPlan = (length: number) =>
  fc.record({
    tasks: fc.array(fc.record({ task, contents: contents(2, 30) }), {
      minLength: 1,
      maxLength: 3,
    }),
    runs: fc.array(run, { minLength: 1, maxLength: 2 }),
    steps: fc.array(step, { minLength: length, maxLength: length, size: "max" }),
  });
type HistoryPlan = ReturnType<typeof historyPlan> extends fc.Arbitrary<infer T> ? T : never;
type RunPlan = HistoryPlan["runs"][number];

const nameOf = (place: number): string => `t${place}`;

/** The scenario for the oracle, and the engine's answer. */
export function playHistory(plan: HistoryPlan): { scenario: object; answer: object } {
  const store = {
    runs: [] as Run[],
    nodes: [] as Node[],
    groups: [] as ClosedGroup[],
    roots: [] as RootInForce[],
  };
  const steps: object[] = [];
  const answers: object[] = [];
  let policy = 0;
  let buffer: Buffer = [];
  const length = Math.ceil(plan.steps.length / plan.runs.length);
  for (const [place, runPlan] of plan.runs.entries()) {
    const begun = beginRun(`r${place}`, runPlan, plan, store.nodes);
    store.runs.push(begun.run);
    store.nodes.push(...begun.roots);
    for (const { task, id } of begun.roots)
      store.roots.push({ seq: store.roots.length + 1, task, node: id, after: store.groups.length });
    const view = openRunView(begun.run, {
      runs: () => store.runs,
      nodes: () => store.nodes,
      closedGroups: () => store.groups,
      rootsInForce: () => store.roots,
    });
    for (const [iteration, { deeds, promotion }] of plan.steps
      .slice(place * length, (place + 1) * length)
      .entries()) {
      if (promotion) policy++;
      const { run } = begun;
      const visible = view.visibleAt(iteration);
      const decision = decideNext(run, iteration, visible, policyOf(policy));
      const { start } = decision;
      const planned = plan.tasks[Number(start.task.slice(1))];
      if (planned === undefined) throw new RangeError(`no task ${start.task}`);
      const members = membersOf(deeds, start, planned.task, planned.contents);
      const reward = rewardSetting(
        decision,
        rewardRule({ solution: planned.task, reward: planned.task.reward }, run.settings),
        run.settings,
      );
      const opening = openingOf(run, iteration, decision, policyOf(policy), reward, members.length < 2);
      const { closed, nodes, answer } = close(
        opening,
        members,
        {
          bonus: presetOf(decision.strategy, run.settings).bonus,
          paper: run.settings.paper,
          closedSeq: view.nextClosedSeq(),
        },
        view.current,
      );
      answers.push({
        ...{ task: start.task, start: start.snapshot, source: sourceOf(decision), goal: decision.goal },
        chances: decision.fromBuffer
          ? chancesOf(drawableEntries(visible, run.tasks, decision.strategy), opening.policy, run)
          : null,
        ...answer,
        buffer: listing(visible.buffer),
      });
      const closingDraws = view.add(closed, nodes);
      store.groups.push({ ...closed, closingDraws });
      store.nodes.push(...nodes);
      steps.push({
        ...(iteration === 0 ? { run: begun.forOracle } : {}),
        policy,
        draws: drawsForOracle({ ...decision.draws, ...closingDraws }),
        startSE: start.qualitySE,
        infra: members.length < 2,
        S: closed.learnability,
        members: membersForOracle(members),
      });
    }
    buffer = view.current.buffer;
  }
  const tasks = plan.tasks.map(({ task }, place) => taskForOracle(nameOf(place), task));
  return {
    scenario: { kind: "history", tasks, steps },
    answer: { steps: answers, buffer: listing(buffer) },
  };
}

function beginRun(
  id: string,
  plan: RunPlan,
  { tasks }: HistoryPlan,
  nodes: readonly Node[],
): { run: Run; roots: Node[]; forOracle: object } {
  const all = tasks.map((_, place) => place);
  const chosen = all.filter((place) => !plan.without.includes(place));
  const covered = chosen.length > 0 ? chosen : all;
  const roots: Node[] = [];
  for (const place of covered) {
    const planned = tasks[place];
    if (planned === undefined) continue;
    const outcome = rootOutcome(planned, plan.roots[place] ?? 0);
    const isKnown = nodes.some((node) => node.task === nameOf(place) && node.snapshot === outcome.snapshot);
    if (!isKnown) roots.push(rootNode(`n${nodes.length + roots.length + 1}`, nameOf(place), outcome));
  }
  const run: Run = {
    ...{ id, seed: plan.seed, tasks: covered.map(nameOf), strategy: plan.strategy, settings: plan.settings },
    budget: { iterations: null, hours: null, tokens: null, target: null },
    ...{ startedAt: "", endedAt: null, endedBy: null, provenance: null },
    spent: nothingSpent,
  };
  const forOracle = {
    settings: { ...settingsForOracle(plan.settings), strategy: plan.strategy },
    tasks: run.tasks,
    roots: roots.map((root) => ({ task: root.task, ...startForOracle(root) })),
  };
  return { run, roots, forOracle };
}

/** The user's solution: the first content from a place on that has a quality; a failing one if there is none. */
function rootOutcome(
  { task, contents }: HistoryPlan["tasks"][number],
  from: number,
): ReturnType<typeof outcomeOf> {
  if (task.format === "answer" || task.format === "dialogue") return bareRequest;
  for (let turn = 0; turn < contents.length; turn++) {
    const outcome = outcomeOf(contents, (from + turn) % contents.length, task);
    if (outcome.quality !== null) return outcome;
  }
  return { ...bareRequest, snapshot: "s-", verdict: "crash", quality: 0 };
}

function openingOf(
  run: Run,
  iteration: number,
  { start, ...decision }: Decision,
  policy: string,
  reward: GroupOpening["reward"],
  lost: boolean,
): GroupOpening {
  return {
    ...{ id: `${run.id}i${iteration}`, run: run.id, iteration, attempt: lost ? 1 : 0, task: start.task },
    ...{ start: start.id, ...decision, policy, reward, seeds: [], basis: 0, roots: 0, evaluator },
    ...{ startQuality: start.quality, startSnapshot: start.snapshot, startSE: start.qualitySE },
  };
}

const sourceOf = ({ fromBuffer, strategy }: Decision): string =>
  fromBuffer ? "B" : strategy === "greedy" ? "greedy" : "M";

function chancesOf(entries: Buffer, policy: string, { settings }: Run): number[] {
  const weights = startWeights(entries, policy, settings);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Task, snapshot, S, policy version, place of the inserting group, times drawn: by insertion. */
function listing(buffer: Buffer): unknown[][] {
  return buffer.map(({ task, snapshot, S, policy, insertedAt, timesDrawn }) => [
    ...[task, snapshot, S, Number(policy.split("#v")[1]), insertedAt - 1, timesDrawn],
  ]);
}

/** The engine's purposes under the oracle's names. */
function drawsForOracle({ source, start, task, goal, insert, ...rest }: Record<string, number>): object {
  const ties = Object.entries(rest)
    .filter(([purpose]) => purpose.startsWith("evict"))
    .map(([purpose, u]) => ({ newcomer: Number(purpose.slice("evict".length) || 0), u }))
    .sort((a, b) => a.newcomer - b.newcomer);
  return { select: source, entry: start, task, diverge: goal, child: insert, ties: ties.map(({ u }) => u) };
}
