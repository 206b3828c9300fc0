import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  isSelfReported,
  parseDuration,
  parseSize,
  rewardRule,
  taskJsonSchema,
  taskSchema,
} from "../../../src/core/task.ts";

const task = {
  name: "a",
  instruction: "b",
  solution: { files: ["c"] },
  run: { command: ["d"], outputs: ["e"] },
  score: { command: ["f"] },
  metric: { direction: "minimize", worst: 5, best: 0 },
  sandbox: { build: {} },
};

describe("the task schema", () => {
  it("is what media/exit.task.schema.json says (node scripts/task-schema.mjs writes it)", () => {
    const written = readFileSync(new URL("../../../media/exit.task.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(written)).toEqual(taskJsonSchema());
  });

  it("asks an editor only for keys without a default", () => {
    expect(taskJsonSchema().required).toEqual([
      "name",
      "instruction",
      "solution",
      "run",
      "score",
      "metric",
      "sandbox",
    ]);
  });

  it("accepts every format, also those that cannot be run yet", () => {
    for (const format of ["code", "json", "answer", "dialogue"])
      expect(taskSchema.safeParse({ ...task, solution: { files: ["c"], format } }).success).toBe(true);
  });

  it("rewards code and json by gain, answers and dialogues by quality, unless told otherwise", () => {
    const ruleOf = (format: string, reward?: string): string =>
      rewardRule(taskSchema.parse({ ...task, solution: { files: ["c"], format }, reward }), { paper: false });
    expect(["code", "json", "answer", "dialogue"].map((format) => ruleOf(format))).toEqual([
      "relative",
      "relative",
      "absolute",
      "absolute",
    ]);
    expect(ruleOf("code", "absolute")).toBe("absolute");
    expect(ruleOf("answer", "relative")).toBe("relative");
  });

  it("rewards answers by quality whatever was told where the paper's rules are asked for", () => {
    const paper = (format: string): string =>
      rewardRule(taskSchema.parse({ ...task, solution: { files: ["c"], format }, reward: "relative" }), {
        paper: true,
      });
    expect(["code", "json", "answer", "dialogue"].map(paper)).toEqual([
      "relative",
      "relative",
      "absolute",
      "absolute",
    ]);
  });

  it("knows a self-reported task, which needs no outputs", () => {
    const quick = taskSchema.parse({ ...task, run: { command: ["d"] }, score: { fromRun: "acc=(.*)" } });
    expect(isSelfReported(quick)).toBe(true);
    expect(isSelfReported(taskSchema.parse(task))).toBe(false);
  });
});

describe("durations and sizes", () => {
  it("are read with their units", () => {
    expect([parseDuration("250ms"), parseDuration("1.5h"), parseDuration("5m")]).toEqual([
      250, 5_400_000, 300_000,
    ]);
    expect([parseSize("512k"), parseSize("2g"), parseSize("1MB")]).toEqual([
      524_288, 2_147_483_648, 1_048_576,
    ]);
  });

  it("are not numbers when badly written", () => {
    expect([parseDuration("5"), parseDuration("5 m"), parseSize("2t"), parseSize("-1g")]).toEqual(
      Array(4).fill(Number.NaN),
    );
  });
});
