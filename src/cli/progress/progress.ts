/** A run as it is told in a terminal: each event becomes some lines, and a status line says what is under way. */

import { adopt, type Board, follow, timeLeft, type WatchedGroup } from "../../client/board.ts";
import { count, duration, percent, plural, score } from "../../client/words/format.ts";
import type { MetricNames } from "../../client/words/metric.ts";
import { oneLine, printable } from "../../client/words/printable.ts";
import type { Style } from "../../client/words/style.ts";
import type { EventOf, RunEvent } from "../../protocol/events.ts";
import { type Group, isFailed } from "../../protocol/results.ts";
import { saidBy } from "../context.ts";

export interface ProgressOptions {
  readonly style: Style;
  readonly metrics: MetricNames;
  /** Characters of a line. */
  readonly columns: number;
}

/** The lines an event adds, after the board has taken it in. @param now milliseconds of a steady clock */
export function tell(board: Board, event: RunEvent, now: number, options: ProgressOptions): string[] {
  const newBest = follow(board, event, now);
  switch (event.type) {
    case "runStarted":
      return header(event, options.style);
    case "groupOpened": {
      const group = board.groups.get(event.opening.id);
      return group === undefined ? [] : ["", opened(board, group, options)];
    }
    case "replyScored":
      return scored(board, event, newBest, options);
    case "groupClosed":
      return closed(board, event, now, options);
    case "message":
    case "workspaceMoved":
      return [options.style.yellow(printable(saidBy(event) ?? ""))];
    default:
      return [];
  }
}

function header({ run, continued, policy, sandbox }: EventOf<"runStarted">, style: Style): string[] {
  const where =
    policy.gpuShare === null
      ? ""
      : policy.gpuShare > 0
        ? `, ${percent(policy.gpuShare)} on the GPU`
        : ", on the CPU";
  const licence = policy.license === null ? "" : `, licence ${printable(policy.license)}`;
  const quantisation = policy.quantisation === null ? "" : ` ${policy.quantisation}`;
  const { iterations, hours, tokens, target } = run.budget;
  const ends = [
    iterations === null ? null : plural(iterations, "iteration"),
    hours === null ? null : plural(hours, "hour"),
    tokens === null ? null : `${count(tokens)} tokens`,
    target === null ? null : `a score of ${score(target)}`,
  ].filter((end) => end !== null);
  return [
    `${style.bold(run.tasks.join(", "))}  ${continued ? "continued" : "begun"}: strategy ${run.strategy}, ${run.settings.groupSize} replies an iteration, seed ${run.seed}`,
    `  model    ${printable(policy.model)}${quantisation} (${policy.runtime}${where}, ${policy.parallel} at once, context ${count(policy.contextLength)} tokens${licence})`,
    `  sandbox  ${printable(sandbox.boundary)}, engine ${sandbox.version} at ${printable(sandbox.engine)}, image ${sandbox.image}`,
    `  budget   ${ends.join(" or ")}${continued ? `; spent so far: ${plural(run.spent.iterations, "iteration")}, ${duration(run.spent.ms)}` : ""}`,
    ...[...policy.warnings, ...sandbox.warnings].map((text) => style.yellow(`  ${printable(text)}`)),
    style.dim("  Ctrl-C stops; the same command goes on from there."),
  ];
}

function opened(board: Board, { opening, promptTokens }: WatchedGroup, options: ProgressOptions): string {
  const { style, metrics } = options;
  const start = board.nodes.get(opening.start);
  const facts: string[] = [];
  if (start) facts.push(start.parent === null ? "the root" : `depth ${start.depth}`);
  if (start && start.score !== null) facts.push(metrics.scored(opening.task, start.score));
  else if (start?.verdict) facts.push(start.verdict);
  const task = board.run.tasks.length > 1 ? `${opening.task}: ` : "";
  const about = facts.length > 0 ? ` (${facts.join(", ")})` : "";
  const prompt = promptTokens === null ? "" : `, prompt ${count(promptTokens)} tokens`;
  const again = opening.attempt > 0 ? ", once more" : "";
  return `${style.bold(`iteration ${place(board, opening.iteration)}`)}  ${task}${style.cyan(opening.goal)} from ${opening.start}${about}${style.dim(prompt + again)}`;
}

/** The lines for a group that an earlier session left unfinished. */
export function tellAdopted(board: Board, group: Group, now: number, options: ProgressOptions): string[] {
  const watched = adopt(board, group, now);
  const kept = `, taken up again with ${plural(watched.sampled.size, "reply", "replies")}`;
  return ["", `${opened(board, watched, options)}${options.style.dim(kept)}`];
}

function place(board: Board, iteration: number): string {
  const all = board.run.budget.iterations;
  return all === null || iteration >= all ? String(iteration + 1) : `${iteration + 1} of ${all}`;
}

const verdictWidth = "output_limit".length;

function scored(
  board: Board,
  { group: id, index, outcome }: EventOf<"replyScored">,
  newBest: boolean,
  options: ProgressOptions,
): string[] {
  const { style, metrics, columns } = options;
  const group = board.groups.get(id);
  if (group === undefined) return [];
  const { opening } = group;
  const name = `  ${opening.iteration + 1}.${index + 1}`.padEnd(8);
  const verdict = outcome.verdict.padEnd(verdictWidth);
  if (outcome.verdict !== "scored" || outcome.score === null) {
    const paint = isFailed(outcome.verdict) ? style.red : style.yellow;
    const why = oneLine(reasonIn(outcome), columns - name.length - verdictWidth - 3);
    return [`${name}${paint(verdict)}  ${style.dim(why)}`.trimEnd()];
  }
  const value = metrics.scored(opening.task, outcome.score);
  return [`${name}${verdict}  ${value}${mark(group, outcome, newBest, style)}`];
}

function mark(
  { opening }: WatchedGroup,
  outcome: EventOf<"replyScored">["outcome"],
  newBest: boolean,
  style: Style,
): string {
  if (newBest) return style.green("  ★ new best");
  if (outcome.snapshot !== null && outcome.snapshot === opening.startSnapshot)
    return style.dim("  unchanged");
  const better = outcome.quality !== null && outcome.quality > (opening.startQuality ?? 0);
  return better ? style.green("  ✓ better than its start") : "";
}

/** The line of the feedback that says most: of a crash the last, where the error stands. */
function reasonIn({ verdict, feedback }: EventOf<"replyScored">["outcome"]): string {
  const lines = (feedback ?? "").split("\n").filter((line) => line.trim() !== "");
  return (verdict === "crash" ? lines.at(-1) : lines[0]) ?? "";
}

function closed(
  board: Board,
  event: EventOf<"groupClosed">,
  now: number,
  options: ProgressOptions,
): string[] {
  const { style, metrics } = options;
  const group = board.groups.get(event.group);
  board.groups.delete(event.group);
  const name = `  iteration ${event.iteration + 1}`;
  if (event.closing.state === "infra")
    return [style.yellow(`${name}: too few replies came back; it does not count`)];
  const facts: string[] = [];
  if (group !== undefined) {
    const verdicts = [...group.verdicts.values()];
    facts.push(`${verdicts.filter((verdict) => verdict === "scored").length} of ${verdicts.length} scored`);
  }
  if (event.best !== null && event.best.score !== null)
    facts.push(`best so far ${metrics.scored(event.best.task, event.best.score)}`);
  if (event.closing.learnability !== null)
    facts.push(
      `S ${score(event.closing.learnability)}${event.closing.informative ? "" : " (nothing to learn)"}`,
    );
  if (group !== undefined) {
    // Of a group taken up again we saw only the end.
    const time = group.promptTokens === null ? "" : ` in ${duration(now - group.openedAt)}`;
    facts.push(`${count(tokensOf(group))} tokens${time}`);
  }
  const left = timeLeft(board);
  if (left !== null && left > 0) facts.push(`about ${duration(left)} left`);
  return [style.dim(`${name}: ${facts.join(", ")}`)];
}

function tokensOf({ sampled }: WatchedGroup): number {
  return [...sampled.values()].reduce((sum, tokens) => sum + tokens, 0);
}

/** What is under way, in one line without colours; empty if nothing is. */
export function statusLine(board: Board, now: number): string {
  const size = (group: WatchedGroup): number => group.opening.seeds.length;
  return [...board.groups.values()]
    .map(
      (group) =>
        `iteration ${group.opening.iteration + 1}: ${group.sampled.size} of ${size(group)} replies, ${group.verdicts.size} scored, ${clock(now - group.openedAt)}`,
    )
    .join(" · ");
}

/** Whole seconds: a status line that shows tenths is restless. */
function clock(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : duration(ms);
}
