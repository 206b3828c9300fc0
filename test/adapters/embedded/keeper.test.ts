/** The embedded runtime serves a tuned file where it lies. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { createEmbeddedKeeper } from "../../../src/adapters/embedded/keeper.ts";
import { testWith } from "../../support/without.ts";
import { model, openEmbedded } from "./parts.ts";

const it = testWith("model");
const never = new AbortController().signal;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("an installed file is known by its path, and by the digest that its policy tells", async () => {
  const keeper = createEmbeddedKeeper("/nowhere/base.gguf");
  const installed = await keeper.install({ id: "m1", file: model, form: "merged" }, () => {}, never);
  expect(installed.model).toBe(model);
  const policy = await openEmbedded({ model: installed.model });
  try {
    expect((await policy.describe()).digest).toBe(installed.digest);
  } finally {
    await policy.close();
  }
});

it("the weights of a base are its file", async () => {
  const { file, digest } = await createEmbeddedKeeper(model).weights(never);
  expect(file).toBe(model);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
});

it("a file that is no model is refused as base and as tuned model", async () => {
  const file = join(folder, "text.gguf");
  writeFileSync(file, "text");
  const keeper = createEmbeddedKeeper(file);
  await expect(keeper.weights(never)).rejects.toMatchObject({ reason: "model-unreadable" });
  await expect(
    keeper.install({ id: "m1", file: file, form: "merged" }, () => {}, never),
  ).rejects.toMatchObject({
    reason: "model-unreadable",
  });
});
