import { expect, test } from "vitest";
import { countTests } from "../../scripts/test/report.mjs";
import { chooseStages, stages } from "../../scripts/test/stages.mjs";

test("all stages run unless --only names some; the rest goes to vitest", () => {
  expect(chooseStages(["-t", "name"])).toEqual({ selected: stages, rest: ["-t", "name"] });
  const { selected, rest } = chooseStages(["--only", "system,unit", "docker"]);
  expect(selected.map(({ name }) => name)).toEqual(["unit", "system"]);
  expect(rest).toEqual(["docker"]);
});

test.each([["--only"], ["--only", "units"]])("a stage that does not exist is refused: %s %s", (...args) => {
  expect(() => chooseStages(args)).toThrow("--only takes names of stages (lint,");
});

test("the unit tests need neither an engine nor a model", () => {
  expect(chooseStages(["--only", "unit"]).selected.flatMap(({ parts }) => parts)).toEqual([
    "node24",
    "dependencies",
  ]);
});

const file = (status: string, ...tests: string[]) => ({
  name: "file",
  status,
  assertionResults: tests.map((status, index) => ({ fullName: `test ${index}`, status })),
});

test("tests are counted by what became of them; to-dos are skipped ones", () => {
  const files = [file("passed", "passed", "skipped", "todo"), file("failed", "failed", "passed")];
  expect(countTests(files)).toEqual({ passed: 2, failed: 1, skipped: ["test 1", "test 2"] });
});

test("a file that failed before its tests ran counts as a failure", () => {
  expect(countTests([file("failed"), file("failed", "skipped")]).failed).toBe(2);
});
