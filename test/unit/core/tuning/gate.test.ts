/** When a tuned model is put in force (EXIT.md section 7). */
import { expect, test } from "vitest";
import { type Bounds, judge } from "../../../../src/core/tuning/gate.ts";

const between = (low: number, high: number): Bounds => ({ mean: (low + high) / 2, low, high });
const decide = (overCurrent: Bounds, overBase: Bounds, isLast = false) =>
  judge(overCurrent, overBase, isLast).decision;

test("better than the model in force and no worse than the base is promoted, at the first look too", () => {
  expect(decide(between(0.001, 0.2), between(-0.019, 0.2))).toBe("promote");
});

test("surely worse than the model in force is rejected at once", () => {
  expect(decide(between(-0.2, -0.001), between(0.1, 0.2))).toBe("reject");
});

test("an interval that holds 0 asks for more chains once, then keeps what is in force", () => {
  expect(decide(between(-0.01, 0.2), between(0.1, 0.2))).toBe("more");
  expect(decide(between(-0.01, 0.2), between(0.1, 0.2), true)).toBe("keep");
  expect(decide(between(0, 0.2), between(0.1, 0.2), true)).toBe("keep");
});

test("better than the model in force but perhaps worse than the base is not promoted", () => {
  expect(decide(between(0.01, 0.2), between(-0.02, 0.2))).toBe("more");
  expect(decide(between(0.01, 0.2), between(-0.02, 0.2), true)).toBe("keep");
});

test("a difference that is not a number is never a promotion", () => {
  const nothing = { mean: Number.NaN, low: Number.NaN, high: Number.NaN };
  expect(decide(nothing, nothing, true)).toBe("keep");
});
