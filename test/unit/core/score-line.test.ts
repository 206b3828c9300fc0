import { describe, expect, it, test } from "vitest";
import { readScoreLine, readSelfReportedScore } from "../../../src/core/score-line.ts";

describe("what a score command prints", () => {
  it("is one line with a score, with or without metrics", () => {
    expect(readScoreLine('{"score": 0.93}\n')).toEqual({ kind: "score", score: 0.93, metrics: {} });
    expect(readScoreLine('\n{"score": -1, "metrics": {"f1": 0.5}}')).toEqual({
      kind: "score",
      score: -1,
      metrics: { f1: 0.5 },
    });
  });

  it("may say which rule of the task the outputs break", () => {
    expect(readScoreLine('{"invalid": "row 7 is missing"}')).toEqual({
      kind: "invalid",
      reason: "row 7 is missing",
    });
  });

  for (const [what, printed, problem] of [
    ["nothing", " \n", "printed nothing"],
    ["text", "score: 0.9", "not JSON"],
    ["two lines", '{"score": 1}\n{"score": 0}', "printed 2 lines"],
    ["NaN", '{"score": NaN}', "not JSON"],
    ["infinity", '{"score": 1e999}', "not finite"],
    ["a number in quotes", '{"score": "0.9"}', "expected one line"],
    ["an empty object", "{}", "expected one line"],
  ] as const) {
    it(`is refused with a sentence when it is ${what}`, () => {
      const line = readScoreLine(printed);
      expect(line.kind).toBe("malformed");
      expect(line.kind === "malformed" && line.problem).toContain(problem);
    });
  }
});

describe("a score the run prints about itself", () => {
  const pattern = "val_acc=([0-9a-z.]+)";

  it("is the last one it printed", () => {
    expect(readSelfReportedScore("val_acc=0.5\nval_acc=0.75 done\n", pattern)).toMatchObject({ score: 0.75 });
  });

  it("is invalid when there is none, or no number", () => {
    expect(readSelfReportedScore("trained\n", pattern).kind).toBe("invalid");
    expect(readSelfReportedScore("val_acc=nan\n", pattern).kind).toBe("invalid");
    expect(readSelfReportedScore("val_acc=0.9abc\n", pattern).kind).toBe("invalid");
  });
});

test.each([
  ['{"score": 0.1, "score": 0.9}'],
  ['{"score": 0.1, "sc\\u006fre": 0.9}'],
  ['{"score": 0.9, "invalid": "no"}'],
])("%s holds more than one result", (line) => {
  expect(readScoreLine(line)).toMatchObject({
    kind: "malformed",
    problem: expect.stringContaining("more than one"),
  });
});

test("a metric may be called score", () => {
  expect(readScoreLine('{"score": 0.9, "metrics": {"score": 0.5}}')).toMatchObject({
    kind: "score",
    score: 0.9,
  });
});
