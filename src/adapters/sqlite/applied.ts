/** The one revision the working tree was last given. */
import type { Store } from "../../core/ports.ts";
import type { Database } from "./database.ts";
import { text } from "./rows.ts";

export function appliedOf(database: Database): Pick<Store, "applied" | "setApplied"> {
  return {
    applied() {
      const row = database.get("SELECT * FROM applied");
      if (!row) return null;
      return {
        node: text(row, "node"),
        task: text(row, "task"),
        at: text(row, "at"),
        before: text(row, "before"),
        after: text(row, "after"),
      };
    },
    setApplied: (applied) =>
      database.transaction(() => {
        database.run("DELETE FROM applied");
        if (applied === null) return;
        const { node, task, at, before, after } = applied;
        database.insert("applied", { slot: 1, node, task, at, before, after }, "");
      }),
  };
}
