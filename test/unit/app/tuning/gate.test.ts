/** A tuned model is proven only on what it never saw (EXIT.md sections 5 and 7). */
import { describe, expect, test } from "vitest";
import { provingOn } from "../../../../src/app/tuning/gate.ts";
import { type TunedModel, tasksLearned } from "../../../../src/core/tuning/tuned-model.ts";

describe("a tuned model is proven on", () => {
  test("all held-out tasks, where it saw none of them", () => {
    expect(provingOn(["c", "d"], new Set(["a", "b"]))).toEqual({ tasks: [], heldOutStarts: false });
  });

  test("the other held-out tasks, where one was marked after it had been trained on", () => {
    expect(provingOn(["b", "c"], new Set(["a", "b"]))).toEqual({ tasks: ["c"], heldOutStarts: false });
  });

  test("nothing, where it was trained on all that is held out now", () => {
    expect(provingOn(["b"], new Set(["a", "b"]))).toEqual({ unfit: expect.stringContaining("(b)") });
  });

  test("held-out starts of its only task, and of several tasks none, since no start of them was held out", () => {
    expect(provingOn([], new Set(["a"]))).toEqual({ tasks: [], heldOutStarts: true });
    expect(provingOn([], new Set(["a", "b"]))).toEqual({ unfit: expect.stringContaining("several tasks") });
  });
});

test("what its adapter goes on from was learned as well", () => {
  const model = (id: string, parent: string | null, task: string) =>
    ({ id, parent, data: { tasks: [task] } }) as unknown as TunedModel;
  const models = [
    model("m1", null, "a"),
    model("m2", "m1", "b"),
    model("m3", "m2", "c"),
    model("m4", null, "d"),
  ];
  const [, , third = model("", null, "")] = models;
  expect([...tasksLearned(third, models)].sort()).toEqual(["a", "b", "c"]);
});
