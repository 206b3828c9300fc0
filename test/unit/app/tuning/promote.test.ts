/** What may be put in force (EXIT.md section 7). */
import { beforeEach, expect, test } from "vitest";
import type { TuningParts } from "../../../../src/app/tuning/parts.ts";
import { promote, rollback } from "../../../../src/app/tuning/promote.ts";
import type { Policy, Store } from "../../../../src/core/ports.ts";
import type { Decision, Gate } from "../../../../src/core/tuning/gate.ts";
import type { TunedModel } from "../../../../src/core/tuning/tuned-model.ts";
import { createMemoryStore } from "../../../support/memory-store.ts";

const never = new AbortController().signal;
const line = "m@1.2";
let store: Store;
beforeEach(() => {
  store = createMemoryStore();
});

/** Of a runtime that serves every tuned model. */
const parts = (): TuningParts =>
  ({
    store,
    clock: { now: () => "2030-01-01T00:00:00Z" },
    emit: () => {},
    openPolicy: async () => ({ close: async () => {} }) as Policy,
  }) as unknown as TuningParts;

function put(change: Partial<TunedModel> = {}): void {
  const made = {
    id: "m1",
    base: { line, model: "m", file: null },
    made: "verified",
    failed: null,
    kept: true,
  };
  store.tuning.putModel({ ...made, training: {}, ...change } as TunedModel);
}
const gated = (decision: Decision) =>
  store.tuning.putGate({ id: `g${store.tuning.gates().length + 1}`, model: "m1", decision } as Gate);
const promoted = (ungated = false) => promote({ model: "m1", ungated }, parts(), never);

test("a model that passed its gate, and no other one unless that is asked for", async () => {
  put();
  await expect(promoted()).rejects.toMatchObject({ reason: "not-gated" });
  gated("promote");
  expect(await promoted()).toMatchObject({ version: 1, model: "m1" });
  await expect(promoted()).rejects.toMatchObject({ reason: "model-in-force" });
});

test("not one whose newest gate it did not pass", async () => {
  put();
  gated("promote");
  gated("reject");
  await expect(promoted()).rejects.toMatchObject({ reason: "not-gated" });
  expect(await promoted(true)).toMatchObject({ version: 1 });
});

test("never one that failed or is not trained, whatever is asked for", async () => {
  put({ failed: "What answers are not the tuned weights." });
  await expect(promoted(true)).rejects.toMatchObject({ reason: "model-unverified" });
  put({ made: "exported", training: null });
  await expect(promoted(true)).rejects.toMatchObject({ reason: "model-unverified" });
  expect(store.tuning.promotions()).toEqual([]);
});

test("the one that is named is rolled back, whatever was promoted last", async () => {
  put();
  const other = { line: "n@3.4", model: "n", file: null };
  store.tuning.putModel({ ...store.tuning.models()[0], id: "m2", base: other } as TunedModel);
  await promote({ model: "m1", ungated: true }, parts(), never);
  await promote({ model: "m2", ungated: true }, parts(), never);
  await expect(rollback({ model: "m3" }, parts(), never)).rejects.toMatchObject({ reason: "model-unknown" });
  expect(await rollback({ model: "m1" }, parts(), never)).toMatchObject({ line, version: 0, model: null });
  await expect(rollback({ model: "m1" }, parts(), never)).rejects.toThrow(/m1 is not in force: the model/);
  expect(await rollback({ model: null }, parts(), never)).toMatchObject({ line: "n@3.4", version: 0 });
  await expect(rollback({ model: null }, parts(), never)).rejects.toMatchObject({
    reason: "nothing-to-roll-back",
  });
});
