/**
 * The decision of an iteration: where to start and with which goal (EXIT.md sections 2.1, 2.2 and 3). A pure
 * function of the past it may see and of keyed draws, so that it can be recomputed from the records.
 */
import { type Buffer, drawStart } from "./buffer.ts";
import { ExitError } from "./errors.ts";
import type { Goal, IterationStrategy, Node, Strategy } from "./history.ts";
import { isComparable, oldestOf, type Past } from "./past.ts";
import { draw, pickUniform } from "./rng.ts";
import type { Settings } from "./settings.ts";
import { isFailed } from "./verdict.ts";

/** A preset of section 3 with the run's own p and p_div put in. */
export interface Preset {
  readonly p: number;
  readonly pDiv: number;
  /** Advantages carry the diversity factor. */
  readonly bonus: boolean;
}

const presets: Record<Exclude<IterationStrategy, "greedy">, Preset> = {
  grpo: { p: 0, pDiv: 0, bonus: false },
  curriculum: { p: 0.5, pDiv: 0, bonus: false },
  improve: { p: 0.5, pDiv: 0, bonus: false },
  diverge: { p: 0.5, pDiv: 0.2, bonus: false },
  exit: { p: 0.5, pDiv: 0.5, bonus: true },
};

/** Greedy groups from one node, without a new best of its task, after which it is passed over. */
const greedyPatience = 3;

/** The preset in force in an iteration: `balanced` alternates. */
export function strategyAt(strategy: Strategy, iteration: number): IterationStrategy {
  if (strategy !== "balanced") return strategy;
  return iteration % 2 === 0 ? "exit" : "greedy";
}

export function presetOf(strategy: IterationStrategy, settings: Pick<Settings, "p" | "pDiv">): Preset {
  if (strategy === "greedy") return { p: 0, pDiv: 0, bonus: false };
  const preset = presets[strategy];
  if (strategy === "grpo") return preset;
  const pDiv = strategy === "diverge" || strategy === "exit" ? (settings.pDiv ?? preset.pDiv) : 0;
  return { ...preset, p: settings.p ?? preset.p, pDiv };
}

export interface Decision {
  readonly strategy: IterationStrategy;
  readonly start: Node;
  readonly fromBuffer: boolean;
  readonly goal: Goal;
  /** Every draw that was made, by purpose. */
  readonly draws: Readonly<Record<string, number>>;
}

export interface DecisionContext {
  readonly seed: number;
  readonly iteration: number;
  readonly strategy: Strategy;
  /** Names of the run's tasks, in a fixed order. */
  readonly tasks: readonly string[];
  readonly policy: string;
  readonly settings: Settings;
}

/** @throws ExitError `no-start` if a task of the run has no root. */
export function decide(past: Past, context: DecisionContext): Decision {
  const strategy = strategyAt(context.strategy, context.iteration);
  const draws: Record<string, number> = {};
  const drawFor = (purpose: string): number => {
    const u = draw(context.seed, context.iteration, purpose);
    draws[purpose] = u;
    return u;
  };
  const { start, fromBuffer } =
    strategy === "greedy"
      ? { start: greedyStart(past, context.tasks, drawFor, draws), fromBuffer: false }
      : exploringStart(past, context, strategy, drawFor);
  return { strategy, start, fromBuffer, goal: goalOf(start, fromBuffer, strategy, context, drawFor), draws };
}

function exploringStart(
  past: Past,
  context: DecisionContext,
  strategy: Exclude<IterationStrategy, "greedy">,
  drawFor: (purpose: string) => number,
): { start: Node; fromBuffer: boolean } {
  const { p } = presetOf(strategy, context.settings);
  const entries = drawableEntries(past, context.tasks, strategy);
  if (p > 0 && entries.length >= context.settings.minBuffer && drawFor("source") < p) {
    const entry = drawStart(entries, drawFor("start"), context.policy, context.settings);
    const node = past.byId.get(entry.node);
    if (node !== undefined) return { start: node, fromBuffer: true };
  }
  return { start: rootInForce(past, drawTask(context.tasks, drawFor)), fromBuffer: false };
}

/** What a run may draw from the buffer: entries of its tasks, under `curriculum` only roots. */
export function drawableEntries(past: Past, tasks: readonly string[], strategy: IterationStrategy): Buffer {
  return past.buffer.filter((entry) => {
    if (!tasks.includes(entry.task)) return false;
    return strategy !== "curriculum" || past.byId.get(entry.node)?.parent === null;
  });
}

function drawTask(tasks: readonly string[], drawFor: (purpose: string) => number): string {
  const place = tasks.length > 1 ? pickUniform(drawFor("task"), tasks.length) : 0;
  return tasks[place] ?? "";
}

/** Where starts of a task from the task space begin: its newest root. */
function rootInForce(past: Past, task: string): Node {
  const root = past.roots.get(task);
  if (root === undefined) throw new ExitError("no-start", `Task ${task} has no root yet; run it once alone.`);
  return root;
}

function greedyStart(
  past: Past,
  tasks: readonly string[],
  drawFor: (purpose: string) => number,
  draws: Record<string, number>,
): Node {
  const task = drawTask(tasks, drawFor);
  const counts = past.greedy.get(task)?.counts;
  const waiting = (node: Node): boolean => (counts?.get(node.snapshot ?? "") ?? 0) < greedyPatience;
  let best: Node | undefined;
  let bestWaiting: Node | undefined;
  let newestFailed: Node | undefined;
  let newestFailedWaiting: Node | undefined;
  for (const node of past.nodes) {
    if (node.task !== task || node.quality === null || !isComparable(past, node)) continue;
    if (oldestOf(past, node) !== node) continue;
    if (node.verdict !== "scored") {
      if (isFailed(node.verdict)) {
        newestFailed = node;
        if (waiting(node)) newestFailedWaiting = node;
      }
      continue;
    }
    if (best?.quality == null || node.quality > best.quality) best = node;
    if (waiting(node) && (bestWaiting?.quality == null || node.quality > bestWaiting.quality))
      bestWaiting = node;
  }
  const [first, waitingOne] = best === undefined ? [newestFailed, newestFailedWaiting] : [best, bestWaiting];
  if (waitingOne !== undefined) return waitingOne;
  if (first === undefined) return rootInForce(past, task);
  draws.greedyRestart = 1;
  return first;
}

function goalOf(
  start: Node,
  fromBuffer: boolean,
  strategy: IterationStrategy,
  context: DecisionContext,
  drawFor: (purpose: string) => number,
): Goal {
  if (start.snapshot === null) return "solve";
  if (isFailed(start.verdict)) return "debug";
  const { pDiv } = presetOf(strategy, context.settings);
  return fromBuffer && pDiv > 0 && drawFor("goal") < pDiv ? "diverge" : "improve";
}
