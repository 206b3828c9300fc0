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
  };
}

export function nodesOf(database: Database): Pick<Store, "addRoot" | "setRootScore" | "nodes"> {
  return {
    addRoot: (node) => insertNode(database, node),
    setRootScore(id, score) {
      database.run(
        `UPDATE nodes SET verdict = :verdict, score = :score, quality = :quality, qualitySE = :qualitySE,
          feedback = :feedback WHERE id = :id AND parent IS NULL`,
        {
          id,
          verdict: score.verdict,
          score: score.score,
          quality: score.quality,
          qualitySE: score.qualitySE,
          feedback: score.feedback,
        },
      );
    },
    nodes: () => database.all("SELECT * FROM nodes ORDER BY seq").map(nodeOf),
  };
}
