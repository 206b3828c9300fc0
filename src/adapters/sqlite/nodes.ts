/** The tree: one row per node, in the order they were made. */
import { goals, type Node } from "../../core/history.ts";
import type { Store } from "../../core/ports.ts";
import { verdicts } from "../../core/verdict.ts";
import type { Database, Row } from "./database.ts";
import { flag, number, orNull, text, word } from "./rows.ts";

const goal = word(goals);
const verdict = word(verdicts);

/** Storing a node twice is nothing new; another node with the same parent and snapshot breaks a constraint. */
export function insertNode(database: Database, node: Node): void {
  database.insert(
    "nodes",
    {
      id: node.id,
      task: node.task,
      parent: node.parent,
      depth: node.depth,
      goal: node.goal,
      verdict: node.verdict,
      score: node.score,
      quality: node.quality,
      qualitySE: node.qualitySE,
      snapshot: node.snapshot,
      group: node.group,
      policy: node.policy,
      heldOut: Number(node.heldOut),
      feedback: node.feedback,
      evaluator: node.evaluator,
    },
    "ON CONFLICT (id) DO NOTHING",
  );
}

function nodeOf(row: Row): Node {
  return {
    id: text(row, "id"),
    task: text(row, "task"),
    parent: orNull(text, row, "parent"),
    depth: number(row, "depth"),
    goal: orNull(goal, row, "goal"),
    verdict: orNull(verdict, row, "verdict"),
    score: orNull(number, row, "score"),
    quality: orNull(number, row, "quality"),
    qualitySE: orNull(number, row, "qualitySE"),
    snapshot: orNull(text, row, "snapshot"),
    group: orNull(text, row, "group"),
    policy: orNull(text, row, "policy"),
    heldOut: flag(row, "heldOut"),
    feedback: orNull(text, row, "feedback"),
    evaluator: orNull(text, row, "evaluator"),
  };
}

/** Nothing if the root is in force already. */
function bringIntoForce(database: Database, { id, task, evaluator }: Node): void {
  const before = database.get(
    `SELECT roots.node, nodes.evaluator FROM roots JOIN nodes ON nodes.id = roots.node
      WHERE roots.task = :task ORDER BY roots.seq DESC LIMIT 1`,
    { task },
  );
  if (before?.node === id) return;
  database.run(
    `INSERT INTO roots (task, node, "after") VALUES (:task, :id, (SELECT ifnull(max(closedSeq), 0) FROM groups))`,
    { task, id },
  );
  if (before !== undefined && before.evaluator !== evaluator)
    database.run("DELETE FROM buffer WHERE task = :task", { task });
}

export function nodesOf(database: Database): Pick<Store, "addRoot" | "rootsInForce" | "nodes"> {
  return {
    addRoot: (node) =>
      database.transaction(() => {
        insertNode(database, node);
        bringIntoForce(database, node);
      }),
    rootsInForce: () =>
      database.all("SELECT * FROM roots ORDER BY seq").map((row) => ({
        seq: number(row, "seq"),
        task: text(row, "task"),
        node: text(row, "node"),
        after: number(row, "after"),
      })),
    nodes: () => database.all("SELECT * FROM nodes ORDER BY seq").map(nodeOf),
  };
}
