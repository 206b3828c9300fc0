/** Tuned models and what was decided about them: whole records, each kept in its newest form. */
import type { TuningRecords } from "../../core/tuning/ports.ts";
import type { Database } from "./database.ts";
import { json } from "./rows.ts";

type Table = "tunedModels" | "gates" | "bootstraps";

export function tuningOf(database: Database): TuningRecords {
  const all = <T>(table: Table | "promotions"): readonly T[] =>
    database.all(`SELECT record FROM ${table} ORDER BY seq`).map((row) => json<T>(row, "record"));
  const put = (table: Table, value: { readonly id: string }): void => {
    const row = { id: value.id, record: JSON.stringify(value) };
    database.insert(table, row, "ON CONFLICT (id) DO UPDATE SET record = excluded.record");
  };
  return {
    models: () => all("tunedModels"),
    putModel: (model) => put("tunedModels", model),
    gates: () => all("gates"),
    putGate: (gate) => put("gates", gate),
    promotions: () => all("promotions"),
    addPromotion: (promotion) => {
      database.insert("promotions", { record: JSON.stringify(promotion) }, "");
    },
    bootstraps: () => all("bootstraps"),
    putBootstrap: (bootstrap) => put("bootstraps", bootstrap),
  };
}
