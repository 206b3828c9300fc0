/** What is known about a run while it is watched: groups under way, nodes, the best so far. */
import type { EventOf, RunEvent } from "../protocol/events.ts";
import type { Group, ListedNode, Run } from "../protocol/results.ts";

export interface WatchedGroup {
  readonly opening: EventOf<"groupOpened">["opening"];
  /** Null for a group that an earlier session opened. */
  readonly promptTokens: number | null;
  readonly openedAt: number;
  /** Tokens of each member sampled so far, by index. */
  readonly sampled: Map<number, number>;
  /** Verdict of each member scored so far, by index. */
  readonly verdicts: Map<number, string>;
}

type KnownNode = Pick<
  ListedNode,
  "id" | "task" | "parent" | "depth" | "verdict" | "score" | "quality" | "comparable"
>;

export interface Board {
  readonly nodes: Map<string, KnownNode>;
  readonly groups: Map<string, WatchedGroup>;
  /** Best quality by task; a new one is told when it is seen, before its group closes. */
  readonly best: Map<string, { quality: number; score: number | null; node: string | null }>;
  run: Run;
  /** Spent when we began to watch: what came before says nothing about the pace. */
  readonly before: Run["spent"];
  spent: Run["spent"];
}

/** @param nodes of the tasks of the run, as far as there are any */
export function newBoard(run: Run, nodes: readonly KnownNode[]): Board {
  const board: Board = {
    nodes: new Map(),
    groups: new Map(),
    best: new Map(),
    run,
    before: run.spent,
    spent: run.spent,
  };
  for (const node of nodes) learn(board, node);
  return board;
}

function learn(board: Board, node: KnownNode): void {
  board.nodes.set(node.id, node);
  if (node.comparable && node.verdict === "scored" && node.quality !== null)
    improve(board, node.task, node.quality, node.score, node.id);
}

/** Returns whether it is the best so far. */
function improve(
  board: Board,
  task: string,
  quality: number,
  score: number | null,
  node: string | null,
): boolean {
  const best = board.best.get(task);
  if (best !== undefined && quality <= best.quality) {
    if (quality === best.quality && best.node === null) best.node = node;
    return false;
  }
  board.best.set(task, { quality, score, node });
  return true;
}

/** Takes in a group that was opened before we looked, with what had become of it. */
export function adopt(board: Board, group: Group, now: number): WatchedGroup {
  const { replies } = group;
  const scored = replies.flatMap(({ index, verdict }) =>
    verdict === null ? [] : [[index, verdict] as const],
  );
  const watched: WatchedGroup = {
    opening: group,
    promptTokens: null,
    openedAt: now,
    sampled: new Map(replies.map(({ index, tokens }) => [index, tokens?.length ?? 0])),
    verdicts: new Map(scored),
  };
  board.groups.set(group.id, watched);
  return watched;
}

/** Takes in one event. Returns true if it brought a new best. */
export function follow(board: Board, event: RunEvent, now: number): boolean {
  switch (event.type) {
    case "runStarted":
    case "runEnded":
      board.run = event.run;
      board.spent = event.run.spent;
      return false;
    case "groupOpened":
      board.groups.set(event.opening.id, {
        opening: event.opening,
        promptTokens: event.promptTokens,
        openedAt: now,
        sampled: new Map(),
        verdicts: new Map(),
      });
      return false;
    case "replySampled": {
      const { index, tokens } = event.reply;
      board.groups.get(event.group)?.sampled.set(index, tokens ?? 0);
      return false;
    }
    case "replyScored": {
      const group = board.groups.get(event.group);
      group?.verdicts.set(event.index, event.outcome.verdict);
      const { verdict, quality, score } = event.outcome;
      if (group === undefined || verdict !== "scored" || quality === null) return false;
      return improve(board, group.opening.task, quality, score, null);
    }
    case "groupClosed":
      for (const node of event.closing.nodes) {
        // Scored by the evaluator of its start, like all of its tree.
        const { comparable = true } = board.nodes.get(node.parent ?? "") ?? {};
        learn(board, { ...node, comparable });
      }
      board.spent = event.spent;
      return false;
    default:
      return false;
  }
}

/** Milliseconds until the budget is spent at the pace seen so far, or null where nothing can be said. */
export function timeLeft({ run: { budget }, spent, before }: Board): number | null {
  const iterations = spent.iterations - before.iterations;
  const tokens = spent.tokens - before.tokens;
  const ms = spent.ms - before.ms;
  const ends: number[] = [];
  if (budget.hours !== null) ends.push(budget.hours * 3_600_000 - spent.ms);
  if (budget.iterations !== null && iterations > 0)
    ends.push(((budget.iterations - spent.iterations) * ms) / iterations);
  if (budget.tokens !== null && tokens > 0) ends.push(((budget.tokens - spent.tokens) * ms) / tokens);
  return ends.length === 0 ? null : Math.max(0, Math.min(...ends));
}
