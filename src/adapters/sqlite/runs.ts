/** Runs: one row each, in the order they were opened. */
import { nothingSpent, type Run, strategies } from "../../core/history.ts";
import type { Store } from "../../core/ports.ts";
import type { Database } from "./database.ts";
import { json, number, orNull, text, word } from "./rows.ts";

const strategy = word(strategies);

export function runsOf(database: Database): Pick<Store, "openRun" | "runs" | "updateRun"> {
  return {
    openRun(run) {
      database.insert(
        "runs",
        {
          id: run.id,
          seed: run.seed,
          tasks: JSON.stringify(run.tasks),
          strategy: run.strategy,
          settings: JSON.stringify(run.settings),
          budget: JSON.stringify(run.budget),
          startedAt: run.startedAt,
          endedAt: run.endedAt,
          endedBy: run.endedBy,
          provenance: JSON.stringify(run.provenance),
          spent: JSON.stringify(run.spent),
        },
        "ON CONFLICT (id) DO NOTHING",
      );
    },
    runs: () =>
      database.all("SELECT * FROM runs ORDER BY seq").map((row) => ({
        id: text(row, "id"),
        seed: number(row, "seed"),
        tasks: json(row, "tasks"),
        strategy: strategy(row, "strategy"),
        settings: json(row, "settings"),
        budget: json(row, "budget"),
        startedAt: text(row, "startedAt"),
        endedAt: orNull(text, row, "endedAt"),
        endedBy: orNull(text, row, "endedBy"),
        provenance: json(row, "provenance"),
        // Runs of older versions did not measure the two sides.
        spent: { ...nothingSpent, ...json<Partial<Run["spent"]>>(row, "spent") },
      })),
    updateRun(id, change) {
      const changed: Record<string, string | null> = { spent: JSON.stringify(change.spent) };
      if (change.endedAt !== undefined) changed.endedAt = change.endedAt;
      if (change.endedBy !== undefined) changed.endedBy = change.endedBy;
      if (change.provenance !== undefined) changed.provenance = JSON.stringify(change.provenance);
      const columns = Object.keys(changed).map((name) => `${name} = :${name}`);
      const changes = database.run(`UPDATE runs SET ${columns.join(", ")} WHERE id = :id`, {
        ...changed,
        id,
      });
      if (changes === 0) throw new RangeError(`run ${id} is not stored`);
    },
  };
}
