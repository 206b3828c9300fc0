/** The catalogue of 106 cases: those of this suite and of test/chaos, and those not played, with the reason or the place. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChaosEntry, loadChaosCases } from "../chaos/load.ts";
import type { Case } from "./case.ts";
import { elsewhere } from "./elsewhere.ts";

const folder = join(import.meta.dirname, "cases");
const document = join(import.meta.dirname, "..", "..", "docs", "SANDBOX.md");
const from = "<!-- cases: written by node test/hostile/main.ts --table -->\n";
const to = "<!-- end of cases -->\n";

/** How many cases each group of the catalogue has. */
const groups: Readonly<Record<string, number>> = { R: 29, E: 21, N: 7, T: 28, D: 21 };

interface Entry extends Case {
  readonly file: string;
}

const order = Object.entries(groups).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
);

export interface Catalogue {
  /** The cases of this suite, in the order of the catalogue. */
  readonly cases: readonly Entry[];
  /** Those of test/chaos. */
  readonly chaos: readonly ChaosEntry[];
}

/** Every case file; together with those told of elsewhere they are complete. */
export async function loadCatalogue(): Promise<Catalogue> {
  const entries = await Promise.all(
    readdirSync(folder).map(async (file) => {
      const { default: definition } = (await import(join(folder, file))) as { default: Case };
      assert.ok(file.startsWith(`${definition.id.toLowerCase()}-`), `${file} holds case ${definition.id}`);
      return { ...definition, file };
    }),
  );
  const chaos = await loadChaosCases();
  const known = [...entries, ...chaos, ...elsewhere].map(({ id }) => id);
  assert.deepEqual([...known].sort(), [...order].sort(), "every case stands in the catalogue once");
  return { cases: entries.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id)), chaos };
}

/** @throws if docs/SANDBOX.md does not say what the case files say. */
export function proveTable(catalogue: Catalogue): void {
  const [, , told] = partsOfDocument();
  assert.equal(told, tableOf(catalogue), "docs/SANDBOX.md is out of date: node test/hostile/main.ts --table");
}

export function writeTable(catalogue: Catalogue): void {
  const [before, after] = partsOfDocument();
  writeFileSync(document, before + from + tableOf(catalogue) + to + after);
}

function partsOfDocument(): [before: string, after: string, table: string] {
  const text = readFileSync(document, "utf8");
  const [before = "", rest = ""] = text.split(from);
  const [table = "", after = ""] = rest.split(to);
  return [before, after, table];
}

function tableOf({ cases, chaos }: Catalogue): string {
  const rowOf =
    (suite: string) =>
    ({ id, tries, promise, file }: Entry | ChaosEntry) => ({
      ...{ id, tries, promise },
      where: `[${file.replace(/\.ts$/, "")}](../test/${suite}/cases/${file})`,
    });
  const played = [...cases.map(rowOf("hostile")), ...chaos.map(rowOf("chaos"))];
  const cells = [...played, ...elsewhere]
    .sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
    .map((row) => [row.id, row.tries, row.promise, row.where]);
  const head = ["case", "tries", "what must come of it", "where"];
  const widths = head.map((_, column) =>
    Math.max(...[head, ...cells].map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return `\n${[head, rule, ...cells].map(lineOf).join("\n")}\n\n`;
}
