/** Opening an iteration: the decision, the prompt it leads to, and the seeds of its members. */
import type { GroupOpening, Node, Prompt, RewardSetting, Run } from "./history.ts";
import type { Past } from "./past.ts";
import type { Policy, PolicyInfo, ResolvedTask, Snapshots } from "./ports.ts";
import { buildPrompt } from "./prompt/build.ts";
import { ruleOf } from "./reward.ts";
import { drawSeed } from "./rng.ts";
import type { Settings } from "./settings.ts";
import { type Decision, decide } from "./strategy.ts";
import { rewardRule } from "./task.ts";

/** The decision for an iteration of a run, given what it may see. */
export function decideNext(run: Run, iteration: number, visible: Past, policyVersion: string): Decision {
  return decide(visible, {
    seed: run.seed,
    iteration,
    strategy: run.strategy,
    tasks: run.tasks,
    policy: policyVersion,
    settings: run.settings,
  });
}

/** How a decision's group is rewarded, given its task's own rule. */
export function rewardSetting(
  { goal, fromBuffer, strategy }: Pick<Decision, "goal" | "fromBuffer" | "strategy">,
  taskRule: RewardSetting["rule"],
  settings: Pick<Settings, "paper" | "lambda">,
): RewardSetting {
  // The paper rewards a step from the task space by its quality alone (EXIT.md section 8).
  const absolute = settings.paper && !fromBuffer && strategy !== "greedy";
  return {
    rule: absolute ? "absolute" : ruleOf(goal, taskRule),
    lambda: settings.paper ? 0 : settings.lambda,
  };
}

/** The sampling seeds of a group's members. */
export function memberSeeds(run: Run, iteration: number, attempt: number): number[] {
  return Array.from({ length: run.settings.groupSize }, (_, index) =>
    drawSeed(run.seed, iteration, `reply${attempt}`, index),
  );
}

export interface Opened {
  readonly opening: GroupOpening;
  readonly start: Node;
  readonly prompt: Prompt;
  readonly promptTokens: number;
  /** One sentence for each part of the prompt that had to be shortened. */
  readonly shortened: readonly string[];
}

/** @throws ExitError `context-overflow` if the prompt does not fit the model's context. */
export async function openGroup(
  at: { readonly run: Run; readonly iteration: number; readonly attempt: number } & Pick<
    GroupOpening,
    "basis" | "roots"
  >,
  visible: Past,
  world: {
    readonly taskOf: (name: string) => ResolvedTask;
    readonly policy: Policy;
    readonly policyInfo: PolicyInfo;
    readonly policyVersion: string;
    readonly snapshots: Snapshots;
  },
  signal: AbortSignal,
): Promise<Opened> {
  const { run, iteration, attempt } = at;
  const { settings } = run;
  const decision = decideNext(run, iteration, visible, world.policyVersion);
  const { start, goal } = decision;
  const task = world.taskOf(start.task);
  const solution = start.snapshot === null ? [] : await world.snapshots.read(start.snapshot);
  const built = await buildPrompt(
    { task, goal, solution, feedback: start.feedback },
    (messages) => world.policy.plan(messages, signal),
    { contextLength: world.policyInfo.contextLength, maxReplyTokens: settings.maxReplyTokens },
  );
  const opening: GroupOpening = {
    id: `${run.id}i${iteration}${attempt === 0 ? "" : "b"}`,
    run: run.id,
    iteration,
    attempt,
    task: task.id,
    start: start.id,
    fromBuffer: decision.fromBuffer,
    goal,
    strategy: decision.strategy,
    policy: world.policyVersion,
    startQuality: start.quality,
    startSnapshot: start.snapshot,
    startSE: start.qualitySE,
    reward: rewardSetting(decision, rewardRule(task.definition, settings), settings),
    draws: decision.draws,
    seeds: memberSeeds(run, iteration, attempt),
    basis: at.basis,
    roots: at.roots,
    evaluator: task.evaluatorDigest,
  };
  const prompt = { messages: built.messages, rendered: built.rendered };
  return { opening, start, prompt, promptTokens: built.tokens, shortened: built.shortened };
}
