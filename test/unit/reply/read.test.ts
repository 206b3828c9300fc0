import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Solution } from "../../../src/core/ports.ts";
import { readReply } from "../../../src/core/reply/read.ts";
import { read, solutionOf, taskOf, textsOf } from "./fixtures.ts";

const start = solutionOf({ "solution/train.py": "a = 1\n" });
const good = "FILE: solution/train.py\n```\na = 2\n```";

describe("a reply that did not end by itself is never repaired", () => {
  test.each(["length", "repetition", "lost"] as const)("%s", (finish) => {
    const result = readReply(good, { task: taskOf({}), start, finish, goal: "improve" });
    expect(result.edit.kind).toBe("none");
    expect(result.edit.problem).toMatch(/^The reply was .*\.$/);
    expect(result).toMatchObject({ answer: null, solution: null });
  });
});

describe("files that are not edited", () => {
  test("keep their bytes, also where they are not text", () => {
    const binary: Solution = [
      ...start,
      { path: "solution/w.npy", bytes: new Uint8Array([0, 255, 13, 10]), executable: true },
    ];
    const result = read(good, binary);
    expect(result.solution?.[1]).toBe(binary[1]);
    expect(
      read("FILE: solution/w.npy\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", binary).edit.problem,
    ).toMatch(/not a text file/);
  });

  test("and a changed file stays executable", () => {
    const script: Solution = start.map((file) => ({ ...file, executable: true }));
    expect(read(good, script).solution?.[0]?.executable).toBe(true);
  });

  test("the solution stays sorted by path", () => {
    const result = read("FILE: solution/b.py\n```\nb\n```\nFILE: solution/Z.py\n```\nz\n```", start);
    expect(result.solution?.map((file) => file.path)).toEqual([
      "solution/Z.py",
      "solution/b.py",
      "solution/train.py",
    ]);
  });
});

describe("line ends", () => {
  test("of untouched lines survive in a file that mixes them", () => {
    const mixed = solutionOf({ "solution/train.py": "a\r\nb\nc\r\nd\r\n" });
    const reply = "FILE: solution/train.py\n<<<<<<< SEARCH\nb\nc\n=======\nb\nx\n>>>>>>> REPLACE";
    expect(textsOf(read(reply, mixed).solution)).toEqual({ "solution/train.py": "a\r\nb\nx\r\nd\r\n" });
  });

  test("paths are found however their accents are composed", () => {
    const accented = solutionOf({ "solution/é.py": "a\n" });
    const result = read("FILE: solution/e\u0301.py\n```\nb\n```", accented);
    expect(textsOf(result.solution)).toEqual({ "solution/é.py": "b\n" });
    expect(result.edit.repairs).toEqual(["path-normalised"]);
  });
});

test("no text makes the reader throw or leave the solution", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.constantFrom(
      "FILE: solution/train.py",
      "FILE: ../x",
      "DELETE: solution/train.py",
      "```",
      "```python",
      "~~~~",
      "<<<<<<< SEARCH",
      "=======",
      ">>>>>>> REPLACE",
      "<think>",
      "</think>",
      "a = 1",
      "{",
      '{"a": 1}',
      "}",
      "",
      "### solution/b.py",
    ),
  );
  for (const format of ["code", "json"] as const) {
    const task = taskOf({ format });
    const from = format === "code" ? start : solutionOf({ "solution/config.json": '{"a": 1}\n' });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const result = read(pieces.join("\n"), from, task);
        expect(result.solution === null).toBe(result.edit.kind === "none");
        expect(result.edit.problem === null).toBe(result.edit.kind !== "none");
        for (const path of result.edit.paths) expect(task.isSolutionPath(path)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  }
});
