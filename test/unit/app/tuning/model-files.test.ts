/** A tuned model whose files were deleted, or lost with the power, is made again from what is left. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filesOf, type TunedFiles, whatIsLeft } from "../../../../src/app/tuning/model-files.ts";
import type { Store } from "../../../../src/core/ports.ts";
import type { RunEvent } from "../../../../src/core/reports.ts";
import type { Fingerprint, Making, TunedModel } from "../../../../src/core/tuning/tuned-model.ts";
import { createMemoryStore } from "../../../support/memory-store.ts";

let folder: string;
let files: TunedFiles;

const results = { training: { updates: 2 }, merge: { bytes: 1 }, served: { model: "exit-ml/m1" } };
const model = (made: Making, fingerprint: Fingerprint | null = null): TunedModel =>
  ({
    ...{ id: "m1", base: { model: "smollm2:135m" }, made, fingerprint, failed: null },
    ...{ interruption: "No room.", ...results },
  }) as unknown as TunedModel;

let store: Store;
let removed: string[];
let events: RunEvent[];

/** What is left of it, and of what is stored the newest. */
async function left(of: TunedModel) {
  const keeper = { remove: async (name: string) => void removed.push(name) };
  const parts = { store, modelsFolder: folder, emit: (event: RunEvent) => void events.push(event) };
  const found = await whatIsLeft(of, keeper, parts, new AbortController().signal);
  return {
    found,
    stored: store.tuning.models().at(-1),
    warned: events.some(({ type }) => type === "message"),
  };
}

const adapterOf = ({ adapter }: TunedFiles): string => join(adapter, "adapter_model.safetensors");

beforeEach(() => {
  [store, removed, events] = [createMemoryStore(), [], []];
  folder = mkdtempSync(join(tmpdir(), "exit-ml-files-"));
  files = filesOf(model("merged"), folder);
  for (const file of [files.groups, files.file, adapterOf(files)]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "content");
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

test("with all its files it stays what it is, and what cut it off is over", async () => {
  for (const made of ["exported", "trained", "merged", "installed"] as const) {
    const { found, stored, warned } = await left(model(made));
    expect(found).toEqual({ ...model(made), interruption: null });
    expect(stored).toEqual(found);
    expect(warned).toBe(false);
  }
  expect(removed).toEqual([]);
});

test("without the tuned file it is merged again", async () => {
  rmSync(files.file);
  const { found, stored, warned } = await left(model("installed"));
  expect(found).toMatchObject({ ...results, made: "trained", merge: null });
  expect(stored).toEqual(found);
  expect(warned).toBe(true);
  expect(removed).toEqual([]);
});

test.each([
  ["the adapter", (all: TunedFiles) => rmSync(adapterOf(all))],
  ["the content of the adapter", (all: TunedFiles) => writeFileSync(adapterOf(all), "")],
])("without %s it is trained again, and nothing of the old weights is left", async (_what, lose) => {
  lose(files);
  const { found, stored } = await left(model("installed"));
  expect(found).toMatchObject({ made: "exported", training: null, merge: null, served: null });
  expect(stored).toEqual(found);
  expect(existsSync(files.stage)).toBe(false);
  expect(removed).toEqual(["exit-ml/m1"]);
});

test("without its training data it is given up, and says so", async () => {
  rmSync(dirname(dirname(files.groups)), { recursive: true });
  const { found, stored } = await left(model("installed"));
  expect(found).toBeNull();
  expect(stored).toMatchObject({ failed: "Its training data is gone.", interruption: null });
});

test("what it has not come to yet cannot be missing", async () => {
  rmSync(files.file);
  rmSync(files.stage, { recursive: true });
  expect((await left(model("exported"))).found?.made).toBe("exported");
});

test("one that was finished is not trained again: it would be another model", async () => {
  rmSync(files.stage, { recursive: true });
  const fingerprint = { effect: 0.1, file: 0, served: 0, servedFromBase: 0.1, proven: true };
  expect((await left(model("verified", fingerprint))).found?.made).toBe("verified");
});
