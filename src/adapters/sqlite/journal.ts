/** The steps of sandbox trials. A step taken again, by a trial repeated after a crash, replaces the earlier one. */
import type { Journal } from "../../core/ports.ts";
import type { Database } from "./database.ts";
import { json, text } from "./rows.ts";

export function journalOf(database: Database): Journal {
  return {
    record(key, step, data) {
      database.run("INSERT OR REPLACE INTO journal (key, step, data) VALUES (:key, :step, :data)", {
        key,
        step,
        data: JSON.stringify(data),
      });
    },
    steps: (key) =>
      database
        .all("SELECT step, data FROM journal WHERE key = :key ORDER BY seq", { key })
        .map((row) => ({ step: text(row, "step"), data: json(row, "data") })),
  };
}
