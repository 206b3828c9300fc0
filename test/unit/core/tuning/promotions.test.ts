/** Which weights are in force after promotions and rollbacks (EXIT.md section 7). */
import { expect, test } from "vitest";
import { inForce, type Promotion, stackOf, versionOf } from "../../../../src/core/tuning/promotions.ts";

const line = "m@1.2";
const at = "2030-01-01T00:00:00Z";
const promoted = (model: string, of = line): Promotion => ({
  ...{ line: of, at, kind: "promoted" },
  ...{ model, gate: null },
});
const rolledBack: Promotion = { line, at, kind: "rolledBack" };

test("without a promotion the base is in force, as version 0", () => {
  expect(inForce([], line)).toEqual({ version: 0, model: null });
  expect(inForce([promoted("m1", "other@3.4")], line)).toEqual({ version: 0, model: null });
});

test("each promotion is a version of its own, and a rollback leads to the one before", () => {
  const history = [promoted("m1"), promoted("m3")];
  expect(inForce(history, line)).toEqual({ version: 2, model: "m3" });
  expect(inForce([...history, rolledBack], line)).toEqual({ version: 1, model: "m1" });
  expect(inForce([...history, rolledBack, rolledBack], line)).toEqual({ version: 0, model: null });
});

test("rolling the base back changes nothing", () => {
  expect(stackOf([rolledBack, rolledBack, promoted("m1")], line)).toEqual([
    { version: 0, model: null },
    { version: 1, model: "m1" },
  ]);
});

test("the number of a version that was rolled back is not given again: groups are named by it", () => {
  const history = [promoted("m1"), rolledBack, promoted("m2")];
  expect(inForce(history, line)).toEqual({ version: 2, model: "m2" });
  expect(versionOf(history, line, "m1")).toBe(1);
  expect(versionOf([...history, rolledBack, promoted("m1")], line, "m1")).toBe(3);
  expect(versionOf(history, line, "m9")).toBeNull();
});
