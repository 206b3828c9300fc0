/** Groups: what was fixed when they were opened, and what their closing found. */

import {
  type BufferChanges,
  type EmbeddingSource,
  type Group,
  type GroupOpening,
  goals,
  type Prompt,
  strategies,
} from "../../core/history.ts";
import type { ClosedGroup, SampleOptions, Store } from "../../core/ports.ts";
import type { Database, Row } from "./database.ts";
import { repliesOfGroup } from "./replies.ts";
import { flag, json, number, orNull, text, word } from "./rows.ts";

const goal = word(goals);
const strategy = word(strategies.filter((name) => name !== "balanced"));
const state = word(["open", "closed", "infra"]);
const closedState = word(["closed", "infra"]);

function insertGroup(
  database: Database,
  opening: GroupOpening,
  prompt: Prompt,
  sampling: SampleOptions,
): void {
  const inserted = database.insert(
    "groups",
    {
      id: opening.id,
      run: opening.run,
      iteration: opening.iteration,
      attempt: opening.attempt,
      task: opening.task,
      start: opening.start,
      fromBuffer: Number(opening.fromBuffer),
      goal: opening.goal,
      strategy: opening.strategy,
      policy: opening.policy,
      startQuality: opening.startQuality,
      startSnapshot: opening.startSnapshot,
      startSE: opening.startSE,
      reward: JSON.stringify(opening.reward),
      draws: JSON.stringify(opening.draws),
      seeds: JSON.stringify(opening.seeds),
      basis: opening.basis,
      roots: opening.roots,
      evaluator: opening.evaluator,
      sampling: JSON.stringify(sampling),
    },
    "ON CONFLICT (id) DO NOTHING",
  );
  if (inserted === 0) return;
  const { messages, rendered } = prompt;
  database.insert("prompts", { group: opening.id, messages: JSON.stringify(messages), rendered }, "");
}

function openingOf(row: Row): GroupOpening {
  return {
    id: text(row, "id"),
    run: text(row, "run"),
    iteration: number(row, "iteration"),
    attempt: number(row, "attempt"),
    task: text(row, "task"),
    start: text(row, "start"),
    fromBuffer: flag(row, "fromBuffer"),
    goal: goal(row, "goal"),
    strategy: strategy(row, "strategy"),
    policy: text(row, "policy"),
    startQuality: orNull(number, row, "startQuality"),
    startSnapshot: orNull(text, row, "startSnapshot"),
    startSE: orNull(number, row, "startSE"),
    reward: json(row, "reward"),
    draws: json(row, "draws"),
    seeds: json(row, "seeds"),
    basis: number(row, "basis"),
    roots: number(row, "roots"),
    evaluator: orNull(text, row, "evaluator"),
  };
}

function groupOf(database: Database, row: Row): Group {
  const opening = openingOf(row);
  return {
    ...opening,
    prompt: { messages: json(row, "messages"), rendered: text(row, "rendered") },
    state: state(row, "state"),
    closedSeq: orNull(number, row, "closedSeq"),
    learnability: orNull(number, row, "learnability"),
    informative: orNull(flag, row, "informative"),
    replies: repliesOfGroup(database, opening.id),
  };
}

const withPrompt = 'SELECT * FROM groups JOIN prompts ON prompts."group" = groups.id';

export function groupsOf(
  database: Database,
): Pick<Store, "openGroup" | "closedGroups" | "openGroups" | "group" | "groupIds"> {
  return {
    openGroup: (opening, prompt, sampling) =>
      database.transaction(() => insertGroup(database, opening, prompt, sampling)),
    closedGroups() {
      const children = childrenByGroup(database);
      return database
        .all("SELECT * FROM groups WHERE closedSeq IS NOT NULL ORDER BY closedSeq")
        .map((row) => ({
          ...openingOf(row),
          state: closedState(row, "state"),
          closedSeq: number(row, "closedSeq"),
          learnability: orNull(number, row, "learnability"),
          informative: flag(row, "informative"),
          children: children.get(text(row, "id")) ?? [],
          closingDraws: json(row, "closingDraws"),
          embedding: orNull(json<EmbeddingSource>, row, "embedding"),
          bufferChanges: orNull(json<BufferChanges>, row, "bufferChanges"),
        }));
    },
    openGroups: (run) =>
      database
        .all(`${withPrompt} WHERE run = :run AND state = 'open' ORDER BY iteration, attempt`, { run })
        .map((row) => ({ group: groupOf(database, row), sampling: json<SampleOptions>(row, "sampling") })),
    group(id) {
      const row = database.get(`${withPrompt} WHERE groups.id = :id`, { id });
      return row ? groupOf(database, row) : null;
    },
    groupIds: () => database.all("SELECT id FROM groups ORDER BY seq").map((row) => text(row, "id")),
  };
}

type Child = ClosedGroup["children"][number];

function childrenByGroup(database: Database): Map<string, Child[]> {
  const children = new Map<string, Child[]>();
  for (const row of database.all('SELECT "group", "index", node, quality FROM replies')) {
    const group = text(row, "group");
    const child: Child = {
      index: number(row, "index"),
      node: orNull(text, row, "node"),
      quality: orNull(number, row, "quality"),
    };
    // The table is kept in the order of its key: group, then index.
    const siblings = children.get(group);
    if (siblings) siblings.push(child);
    else children.set(group, [child]);
  }
  return children;
}
