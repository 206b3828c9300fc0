/** The catalogue of 106 cases: those played here, and those that are not, with the reason or the place. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** Every case file, in the order of the catalogue; together with those told of elsewhere it is complete. */
export async function loadCases(): Promise<readonly Entry[]> {
  const entries = await Promise.all(
    readdirSync(folder).map(async (file) => {
      const { default: definition } = (await import(join(folder, file))) as { default: Case };
      assert.ok(file.startsWith(`${definition.id.toLowerCase()}-`), `${file} holds case ${definition.id}`);
      return { ...definition, file };
    }),
  );
  const known = [...entries, ...elsewhere].map(({ id }) => id);
  assert.deepEqual([...known].sort(), [...order].sort(), "every case stands in the catalogue once");
  return entries.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

/** @throws if docs/SANDBOX.md does not say what the case files say. */
export function proveTable(cases: readonly Entry[]): void {
  const [, , told] = partsOfDocument();
  assert.equal(told, tableOf(cases), "docs/SANDBOX.md is out of date: node test/hostile/main.ts --table");
}

export function writeTable(cases: readonly Entry[]): void {
  const [before, after] = partsOfDocument();
  writeFileSync(document, before + from + tableOf(cases) + to + after);
}

function partsOfDocument(): [before: string, after: string, table: string] {
  const text = readFileSync(document, "utf8");
  const [before = "", rest = ""] = text.split(from);
  const [table = "", after = ""] = rest.split(to);
  return [before, after, table];
}

function tableOf(cases: readonly Entry[]): string {
  const played = cases.map(({ id, tries, promise, file }) => ({
    ...{ id, tries, promise },
    where: `[${file.replace(/\.ts$/, "")}](../test/hostile/cases/${file})`,
  }));
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
