/** The generated task family is usable as it is written, and the same every time. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createWorkspace } from "../../../src/adapters/workspace/workspace.ts";
import { schemaProblem } from "../../../src/core/reply/schema-check.ts";
import { contents, temporaryFolder } from "./folders.ts";

function make(folder: string): void {
  execFileSync("python3", ["examples/family/make.py", folder]);
}

test("The family is the same byte for byte every time it is written", async () => {
  const [first, second] = [await temporaryFolder(), await temporaryFolder()];
  make(first);
  make(second);
  expect(await contents(first)).toEqual(await contents(second));
});

test("Twelve tasks to train on and twelve held out resolve, each with data of its own and a root its schema allows", async () => {
  const folder = await temporaryFolder();
  make(folder);
  const workspace = createWorkspace({ folder, stagingFolder: join(folder, ".exit", "staged") });
  const { tasks, problems } = await workspace.tasks();
  expect(problems).toEqual([]);
  const resolved = await Promise.all(tasks.map(({ name }) => workspace.resolve(name)));
  const splits = resolved.map((task) => task.definition.split);
  expect(splits.filter((split) => split === "train")).toHaveLength(12);
  expect(splits.filter((split) => split === "heldout")).toHaveLength(12);
  expect(new Set(resolved.map((task) => task.inputs.digest)).size).toBe(24);
  const roots = new Set<string>();
  for (const task of resolved) {
    const [file] = await workspace.solution(task);
    const text = new TextDecoder().decode(file?.bytes);
    roots.add(text);
    expect(schemaProblem(task.schema, JSON.parse(text))).toBeNull();
  }
  expect(roots.size).toBe(24);
});

test("At most 400 answers are possible, so that the score cache answers repeats", () => {
  const schema = JSON.parse(readFileSync("examples/family/workspace/schema.json", "utf8")) as {
    properties: Record<string, { enum: unknown[] }>;
  };
  const count = Object.values(schema.properties).reduce((product, key) => product * key.enum.length, 1);
  expect(count).toBeLessThanOrEqual(400);
});

test("An existing folder with something in it is refused, not written into", async () => {
  const folder = await temporaryFolder();
  make(folder);
  expect(() => make(folder)).toThrow(/is not empty/);
});
