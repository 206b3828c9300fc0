/** A tuned model whose files were deleted, or lost with the power, is made again from what is left. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filesOf, madeByFiles, type TunedFiles } from "../../../../src/app/tuning/model-files.ts";
import type { Fingerprint, Making, TunedModel } from "../../../../src/core/tuning/tuned-model.ts";

let folder: string;
let files: TunedFiles;

const model = (made: Making, fingerprint: Fingerprint | null = null): TunedModel =>
  ({ id: "m1", base: { model: "smollm2:135m" }, made, fingerprint }) as TunedModel;

const adapterOf = ({ adapter }: TunedFiles): string => join(adapter, "adapter_model.safetensors");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-files-"));
  files = filesOf(model("merged"), folder);
  for (const file of [files.groups, files.file, adapterOf(files)]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "content");
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

test("with all its files it stays what it is", async () => {
  for (const made of ["exported", "trained", "merged", "installed"] as const)
    expect(await madeByFiles(model(made), files)).toBe(made);
});

test.each([
  ["the tuned file", (all: TunedFiles) => rmSync(all.file), "trained"],
  ["the adapter", (all: TunedFiles) => rmSync(adapterOf(all)), "exported"],
  ["the content of the adapter", (all: TunedFiles) => writeFileSync(adapterOf(all), ""), "exported"],
  ["everything", (all: TunedFiles) => rmSync(dirname(dirname(all.groups)), { recursive: true }), null],
])("without %s it goes back to the step before", async (_what, lose, expected) => {
  lose(files);
  expect(await madeByFiles(model("installed"), files)).toBe(expected);
});

test("what it has not come to yet cannot be missing", async () => {
  rmSync(files.file);
  rmSync(files.stage, { recursive: true });
  expect(await madeByFiles(model("exported"), files)).toBe("exported");
});

test("one that was finished is not trained again: it would be another model", async () => {
  rmSync(files.stage, { recursive: true });
  const fingerprint = { effect: 0.1, file: 0, served: 0, servedFromBase: 0.1, proven: true };
  expect(await madeByFiles(model("verified", fingerprint), files)).toBe("verified");
});
