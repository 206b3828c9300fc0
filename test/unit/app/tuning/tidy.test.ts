/** Weights stay in bounds, and what is needed stays (EXIT.md section 7, DESIGN.md section 7). */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { superfluous, tidyModels } from "../../../../src/app/tuning/tidy.ts";
import type { Store } from "../../../../src/core/ports.ts";
import type { Gate } from "../../../../src/core/tuning/gate.ts";
import type { TunedModel } from "../../../../src/core/tuning/tuned-model.ts";
import { createMemoryStore } from "../../../support/memory-store.ts";

const line = "m@1.2";
let store: Store;
let folder: string;
beforeEach(() => {
  store = createMemoryStore();
  folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(id: string, change: Partial<TunedModel> = {}): void {
  const made = { id, made: "verified", base: { line }, failed: null, kept: true, served: null };
  store.tuning.putModel({ ...made, ...change } as TunedModel);
}
const gated = (model: string) => store.tuning.putGate({ id: `g-${model}`, model, decision: "keep" } as Gate);
const promoted = (model: string) =>
  store.tuning.addPromotion({ line, at: "2030-01-01T00:00:00Z", kind: "promoted", model, gate: null });
const ids = () => superfluous(store.tuning).map(({ id }) => id);

test("the version in force, the one before it, and what is still to be gated stay", () => {
  for (const id of ["m1", "m2", "m3", "m4", "m5"]) put(id);
  for (const id of ["m1", "m2", "m3"]) promoted(id);
  for (const id of ["m1", "m2", "m3", "m4"]) gated(id);
  expect(ids()).toEqual(["m1", "m4"]);
});

test("of those that were begun and given up nothing stays, but the newest can be gone on with", () => {
  put("m1", { made: "trained" });
  put("m2", { made: "installed", failed: "other weights answer" });
  put("m3", { made: "trained" });
  expect(ids()).toEqual(["m1", "m2"]);
});

test("no second copy stays of what a server has, and the embedded runtime keeps its only one", async () => {
  for (const [id, runtime] of [
    ["m1", "ollama"],
    ["m2", "embedded"],
  ] as const) {
    put(id, { base: { line: `${runtime}@1.2`, runtime } as TunedModel["base"] });
    mkdirSync(join(folder, id));
    writeFileSync(join(folder, id, "m.gguf"), "GGUF");
  }
  const parts = { store, emit: () => {}, workspaceFolder: folder, modelsFolder: folder };
  await tidyModels(parts, new AbortController().signal);
  expect(["m1", "m2"].map((id) => existsSync(join(folder, id, "m.gguf")))).toEqual([false, true]);
});

test("the files of one that no server ever had go too, and its adapter stays", async () => {
  put("m1", { made: "merged" });
  put("m2", { made: "exported" });
  const stage = join(folder, "m1", "stage");
  for (const name of ["checkpoint", "adapter"]) mkdirSync(join(stage, name), { recursive: true });
  const weights = ["m-m1.gguf", "m-m1.gguf.draft"].map((name) => join(folder, "m1", name));
  for (const file of weights) writeFileSync(file, "GGUF");
  const parts = { store, emit: () => {}, workspaceFolder: folder, modelsFolder: folder };
  await tidyModels(parts, new AbortController().signal);
  expect(weights.map((file) => existsSync(file))).toEqual([false, false]);
  expect(existsSync(join(stage, "checkpoint"))).toBe(false);
  expect(existsSync(join(stage, "adapter"))).toBe(true);
  expect(store.tuning.models()[0]?.kept).toBe(false);
});
