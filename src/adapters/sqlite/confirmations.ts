/** Confirmations: all are kept, the newest of each task counts. */
import type { Store } from "../../core/ports.ts";
import type { Database } from "./database.ts";
import { json } from "./rows.ts";

export function confirmationsOf(database: Database): Pick<Store, "confirmation" | "putConfirmation"> {
  return {
    confirmation(task) {
      const newest = "SELECT record FROM confirmations WHERE task = :task ORDER BY seq DESC LIMIT 1";
      const row = database.get(newest, { task });
      return row ? json(row, "record") : null;
    },
    putConfirmation(confirmation) {
      const { task, at } = confirmation;
      database.insert("confirmations", { task, at, record: JSON.stringify(confirmation) }, "");
    },
  };
}
