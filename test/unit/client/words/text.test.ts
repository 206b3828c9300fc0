import { describe, expect, test } from "vitest";
import { count, duration, score, tally } from "../../../../src/client/words/format.ts";
import { oneLine, printable } from "../../../../src/client/words/printable.ts";
import { splitWords } from "../../../../src/client/words/split-words.ts";

test.each([
  [0.9, "0.9"],
  [0.95123, "0.9512"],
  [0, "0"],
  [1, "1"],
  [-3.25, "-3.25"],
  [0.0001234, "1.234e-4"],
  [12345.678, "12345.7"],
  [100, "100"],
])("the score %f reads %s", (value, text) => expect(score(value)).toBe(text));

test.each([
  [0, "0 ms"],
  [940, "940 ms"],
  [12_345, "12.3 s"],
  [59_999, "1 min 00 s"],
  [245_000, "4 min 05 s"],
  [7_620_000, "2 h 07 min"],
])("%i milliseconds read %s", (ms, text) => expect(duration(ms)).toBe(text));

test("counts are grouped and tallied", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect(tally(["a", "b", "b"])).toBe("2 b, 1 a");
});

describe("a command is split into words", () => {
  test.each([
    ["python3 train.py", ["python3", "train.py"]],
    ["  a   b ", ["a", "b"]],
    [`sh -c 'echo "x y"'`, ["sh", "-c", 'echo "x y"']],
    [`a "b \\" c" ''`, ["a", 'b " c', ""]],
    ["a\\ b", ["a b"]],
    ["", []],
  ])("%s", (text, words) => expect(splitWords(text)).toEqual(words));

  test("an open quote is refused", () => expect(() => splitWords("a 'b")).toThrow(/quote is not closed/));
});

test("control sequences do not get through", () => {
  expect(printable("a\u001b[31mb\u001b]0;title\u0007c\u0000\u202ed\r\ne\tf")).toBe("abcd\ne\tf");
  expect(oneLine("one\ntwo three", 9)).toBe("one two …");
});
