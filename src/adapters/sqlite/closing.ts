/** Closing a group, the one step that changes many things: all of it in one transaction. */
import type { BufferEntry } from "../../core/history.ts";
import type { GroupClosing, Store } from "../../core/ports.ts";
import type { Database } from "./database.ts";
import { insertNode } from "./nodes.ts";
import { flag, number, orNull, text } from "./rows.ts";

export function closingOf(database: Database): Pick<Store, "closeGroup" | "buffer"> {
  return {
    closeGroup: (closing) =>
      database.transaction(() => {
        if (closeRow(database, closing)) storeClosing(database, closing);
      }),
    buffer: () =>
      database.all("SELECT * FROM buffer ORDER BY place").map((row) => ({
        task: text(row, "task"),
        node: text(row, "node"),
        snapshot: orNull(text, row, "snapshot"),
        failed: flag(row, "failed"),
        S: number(row, "S"),
        policy: text(row, "policy"),
        timesDrawn: number(row, "timesDrawn"),
        dullGroups: number(row, "dullGroups"),
        insertedAt: number(row, "insertedAt"),
      })),
  };
}

/** @returns false if the group had been closed like this before. */
function closeRow(database: Database, closing: GroupClosing): boolean {
  const changed = database.run(
    `UPDATE groups SET state = :state, closedSeq = :closedSeq, learnability = :learnability,
      informative = :informative, closingDraws = :closingDraws, embedding = :embedding,
      bufferChanges = :bufferChanges WHERE id = :id AND state = 'open'`,
    {
      id: closing.group,
      state: closing.state,
      closedSeq: closing.closedSeq,
      learnability: closing.learnability,
      informative: Number(closing.informative),
      closingDraws: JSON.stringify(closing.draws),
      embedding: closing.embedding === null ? null : JSON.stringify(closing.embedding),
      bufferChanges: JSON.stringify(closing.bufferChanges),
    },
  );
  if (changed === 1) return true;
  const row = database.get("SELECT closedSeq FROM groups WHERE id = :id", { id: closing.group });
  if (!row) throw new RangeError(`group ${closing.group} is not stored`);
  if (number(row, "closedSeq") === closing.closedSeq) return false;
  throw new RangeError(`group ${closing.group} is closed already, as number ${number(row, "closedSeq")}`);
}

function storeClosing(database: Database, closing: GroupClosing): void {
  for (const node of closing.nodes) insertNode(database, node);
  for (const reply of closing.replies) {
    const { index, node, reward, advantage, diversity, distance } = reply;
    const changed = database.run(
      `UPDATE replies SET node = :node, reward = :reward, advantage = :advantage, diversity = :diversity,
        distance = :distance WHERE "group" = :group AND "index" = :index`,
      { group: closing.group, index, node, reward, advantage, diversity, distance },
    );
    if (changed === 0) throw new RangeError(`reply ${index} of group ${closing.group} is not stored`);
  }
  database.run("DELETE FROM buffer");
  closing.buffer.forEach((entry, place) => {
    insertEntry(database, entry, place);
  });
  database.run("UPDATE runs SET spent = :spent WHERE id = (SELECT run FROM groups WHERE id = :group)", {
    spent: JSON.stringify(closing.spent),
    group: closing.group,
  });
}

function insertEntry(database: Database, entry: BufferEntry, place: number): void {
  const { task, node, snapshot, failed, S, policy, timesDrawn, dullGroups, insertedAt } = entry;
  const row = { task, node, snapshot, failed: Number(failed), S, policy, timesDrawn, dullGroups, insertedAt };
  database.insert("buffer", { place, ...row }, "");
}
