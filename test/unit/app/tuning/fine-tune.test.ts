/** What is stored of the making of a tuned model, and when (EXIT.md sections 6 and 7). */
import { expect, test } from "vitest";
import type { OpenBase } from "../../../../src/app/tuning/base-model.ts";
import { make } from "../../../../src/app/tuning/fine-tune.ts";
import type { TuningParts } from "../../../../src/app/tuning/parts.ts";
import { ExitError } from "../../../../src/core/errors.ts";
import type { TunedModel } from "../../../../src/core/tuning/tuned-model.ts";
import { createMemoryStore } from "../../../support/memory-store.ts";

const never = new AbortController().signal;
const store = createMemoryStore();
const base = { line: "m@1.2", model: "m", runtime: "embedded" };
const model = {
  id: "m1",
  base,
  failed: null,
  interruption: null,
  parent: null,
  settings: {},
  data: {},
  kept: true,
  served: null,
};

/** A runtime that breaks as the model is installed. */
const opened = {
  ...{ base, file: import.meta.filename, policy: {} },
  keeper: {
    unload: async () => async () => {},
    install: () => Promise.reject(new ExitError("install-failed", "No room.")),
  },
} as unknown as OpenBase;

const parts = (free: number): TuningParts =>
  ({
    ...{ store, emit: () => {}, modelsFolder: "/models", freeBytes: async () => free },
    sandbox: () => Promise.reject(new ExitError("docker-unreachable", "no engine")),
    trainer: { prepare: async () => {}, merge: async () => ({ bytes: 1 }) },
  }) as unknown as TuningParts;

const cutOff = async (change: Partial<TunedModel>): Promise<TunedModel | undefined> => {
  const whole = { ...model, ...change } as TunedModel;
  store.tuning.putModel(whole);
  await expect(make({ ...whole, made: "trained" }, opened, parts(2 ** 40), never)).rejects.toThrow(
    "No room.",
  );
  return store.tuning.models()[0];
};

test("a step that ended is stored, so that the next call goes on from there, and what cut it off", async () => {
  expect(await cutOff({ made: "trained", fingerprint: null })).toMatchObject({
    made: "merged",
    interruption: "No room.",
  });
});

test("a finished model whose weights are made anew stays finished, where that is cut off", async () => {
  const fingerprint = { effect: 0.1, file: 0, served: 0, servedFromBase: 0.1, proven: true };
  expect(await cutOff({ made: "verified", fingerprint })).toMatchObject({
    made: "verified",
    interruption: null,
  });
});

test("nothing is trained where its model would not fit the disk", async () => {
  const begun = { ...model, made: "exported", fingerprint: null } as unknown as TunedModel;
  await expect(make(begun, opened, parts(10), never)).rejects.toMatchObject({ reason: "disk-low" });
});
