/** The cases of this suite, in the order of the catalogue. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ChaosCase } from "./case.ts";

const folder = join(import.meta.dirname, "cases");

export interface ChaosEntry extends ChaosCase {
  readonly file: string;
}

export async function loadChaosCases(): Promise<readonly ChaosEntry[]> {
  const number = ({ id }: ChaosCase): number => Number(id.slice(1));
  const cases = await Promise.all(
    readdirSync(folder).map(async (file) => {
      const { default: definition } = (await import(join(folder, file))) as { default: ChaosCase };
      assert.ok(file.startsWith(`${definition.id.toLowerCase()}-`), `${file} holds case ${definition.id}`);
      return { ...definition, file };
    }),
  );
  return cases.sort((a, b) => number(a) - number(b));
}
