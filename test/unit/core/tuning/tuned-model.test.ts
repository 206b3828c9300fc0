/** Which tuned model a fine-tune goes on with (EXIT.md sections 6 and 7). */
import { expect, test } from "vitest";
import {
  defaultTraining,
  type Making,
  type TunedModel,
  unfinishedOf,
} from "../../../../src/core/tuning/tuned-model.ts";

const begun = { line: "m@1.2", parent: null, settings: defaultTraining };
const model = (id: string, made: Making, change: Partial<TunedModel> = {}): TunedModel =>
  ({
    id,
    made,
    base: { line: begun.line },
    parent: null,
    failed: null,
    settings: defaultTraining,
    ...change,
  }) as TunedModel;

test("the newest of its line goes on where it was cut off", () => {
  const models = [model("m1", "trained"), model("m2", "merged")];
  expect(unfinishedOf(models, begun)?.id).toBe("m2");
  expect(unfinishedOf([...models, model("m3", "verified")], begun)).toBeNull();
  expect(unfinishedOf(models, { ...begun, line: "other@1.2" })).toBeNull();
});

test("one that failed, or was begun under other settings, is left alone", () => {
  expect(unfinishedOf([model("m1", "exported", { failed: "no effect" })], begun)).toBeNull();
  const settings = { ...defaultTraining, updates: 3 };
  expect(unfinishedOf([model("m1", "exported")], { ...begun, settings })).toBeNull();
});

test("one begun before a promotion or a rollback is left alone: it began with another adapter", () => {
  const models = [model("m1", "verified"), model("m2", "trained")];
  expect(unfinishedOf(models, { ...begun, parent: "m1" })).toBeNull();
  expect(unfinishedOf([model("m2", "trained", { parent: "m1" })], begun)).toBeNull();
});
