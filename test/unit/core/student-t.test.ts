/** The t distribution against published values. */
import { expect, test } from "vitest";
import { upperQuantile, upperTail } from "../../../src/core/student-t.ts";

// NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2: upper critical values.
test.each([
  [0.1, 1, 3.078],
  [0.025, 7, 2.365],
  [0.025, 14, 2.145],
  [0.01, 5, 3.365],
  [0.001, 30, 3.385],
  [0.025, 100, 1.984],
])("The point with the tail %d at %d degrees of freedom is %d", (tail, degrees, t) => {
  expect(upperQuantile(tail, degrees)).toBeCloseTo(t, 3);
  expect(upperTail(t, degrees)).toBeCloseTo(tail, 4);
});

test("With one degree of freedom it is Cauchy's distribution, with very many the normal one", () => {
  for (const t of [0, 0.3, 1, 4]) expect(upperTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 12);
  expect(upperTail(1.959963985, 1e7)).toBeCloseTo(0.025, 6);
});

test("Both tails together are one, and quantile and tail undo each other", () => {
  for (const degrees of [1.5, 7.25, 14])
    for (const t of [0.1, 1, 3]) {
      expect(upperTail(t, degrees) + upperTail(-t, degrees)).toBeCloseTo(1, 12);
      expect(upperQuantile(upperTail(t, degrees), degrees)).toBeCloseTo(t, 9);
    }
});
