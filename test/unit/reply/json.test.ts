import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { schemaProblem } from "../../../src/core/reply/schema-check.ts";
import { read, solutionOf, taskOf, textsOf } from "./fixtures.ts";

const path = "solution/config.json";
const schema = {
  type: "object",
  properties: {
    scaler: { enum: ["none", "standard"] },
    k: { enum: [1, 3, 5] },
    C: { type: "number", exclusiveMinimum: 0 },
  },
  required: ["scaler", "k", "C"],
  additionalProperties: false,
};
const task = taskOf({ format: "json", schema });
const free = taskOf({ format: "json" });
const before = '{\n  "scaler": "none",\n  "k": 1,\n  "C": 1\n}\n';
const after = '{\n  "scaler": "standard",\n  "k": 3,\n  "C": 0.5\n}\n';
const start = solutionOf({ [path]: before });
const compact = '{"scaler":"standard","k":3,"C":0.5}';

describe("a JSON reply", () => {
  const cases: readonly [name: string, reply: string, repairs: readonly string[]][] = [
    ["as asked", after, []],
    ["on one line", compact, []],
    ["in a fence", `Here you go:\n\`\`\`json\n${after}\`\`\`\nGood luck!`, ["fenced"]],
    ["in prose", `The best is ${compact}, I think.`, ["prose-stripped"]],
    ["with trailing commas", '{"scaler": "standard", "k": 3, "C": 0.5,}', ["trailing-comma"]],
    ["with comments", '{"scaler": "standard", // scale\n"k": 3, # few\n/* C */ "C": 0.5}', ["json-comment"]],
    ["with single quotes", "{'scaler': 'standard', 'k': 3, 'C': 0.5}", ["single-quotes"]],
    ["with bare keys", '{scaler: "standard", k: 3, C: 0.5}', ["bare-key"]],
    ["after thinking", `<think>{"k": 9}</think>\n${after}`, ["thinking-stripped"]],
    [
      "after the current object",
      `Now:\n\`\`\`json\n${before}\`\`\`\nBetter:\n\`\`\`json\n${after}\`\`\``,
      ["fenced", "quoted-current-ignored"],
    ],
    ["twice", `${compact}\n${after}`, ["prose-stripped", "duplicate-block"]],
    ["with a key twice", '{"scaler":"standard","k":3,"k":3,"C":0.5}', ["duplicate-key"]],
  ];
  test.each(cases)("%s becomes the file", (_, reply, repairs) => {
    const result = read(reply, start, task);
    expect(result.edit).toEqual({ kind: "json", repairs, problem: null, paths: [path] });
    expect(textsOf(result.solution)).toEqual({ [path]: after });
    expect(result.answer).toMatch(/^\{[\s\S]*\}$/);
    expect(reply).toContain(result.answer);
  });

  const refused: readonly [name: string, reply: string, problem: RegExp][] = [
    ["nothing", "", /empty/],
    ["no object", "k = 3", /no JSON object/],
    ["a list", "[1]", /no JSON object/],
    ["a cut object", '{"scaler": "standard", "k": 3', /broken/],
    [
      "a value not allowed",
      '{"scaler": "minmax", "k": 3, "C": 1}',
      /"scaler" must be one of "none", "standard", not "minmax"/,
    ],
    ["a number not allowed", '{"scaler": "none", "k": 2, "C": 1}', /"k" must be one of 1, 3, 5, not 2/],
    ["a text for a number", '{"scaler": "none", "k": "3", "C": 1}', /"k"/],
    ["a missing key", '{"scaler": "none", "k": 3}', /The key "C" is missing/],
    ["a key too many", '{"scaler": "none", "k": 3, "C": 1, "d": 1}', /The key "d" is not allowed/],
    ["a number out of range", '{"scaler": "none", "k": 3, "C": 0}', /"C" must be above 0/],
    ["two different objects", `${compact}\n{"scaler":"none","k":5,"C":2}`, /several different/],
    ["a key with two values", '{"scaler":"none","k":3,"k":5,"C":2}', /twice/],
    ["an object inside a broken one", `{"config" ${compact}}`, /broken/],
    ["broken braces before the object", `Keys {scaler, k}: ${compact}`, /broken/],
    ["an expression", '{"scaler": "none", "k": 1 + 2, "C": 1}', /comma/],
    ["not a number", '{"scaler": "none", "k": 3, "C": NaN}', /not JSON/],
    ["a leading zero", '{"scaler": "none", "k": 03, "C": 1}', /not JSON/],
  ];
  test.each(refused)("%s is refused", (_, reply, problem) => {
    const result = read(reply, start, task);
    expect(result.edit.kind).toBe("none");
    expect(result.edit.problem).toMatch(problem);
    expect(result.solution).toBeNull();
  });

  test("equal to the current object is unchanged, however it is written", () => {
    const result = read('{"C": 1, "k": 1, "scaler": "none"}', start, task);
    expect(result.edit.kind).toBe("unchanged");
    expect(result.solution).toBe(start);
  });

  test("keeps the layout of the file: indentation, one line, line ends, final newline", () => {
    const write = (file: string): string | undefined =>
      textsOf(read(compact, solutionOf({ [path]: file }), task).solution)?.[path];
    expect(write(before.replaceAll("  ", "    "))).toBe(after.replaceAll("  ", "    "));
    expect(write(before.replaceAll("\n", "\r\n"))).toBe(after.replaceAll("\n", "\r\n"));
    expect(write(before.trimEnd())).toBe(after.trimEnd());
    expect(write('{"k":1}\n')).toBe(`${compact}\n`);
    expect(write('{"k": 1}')).toBe('{"scaler": "standard", "k": 3, "C": 0.5}');
    expect(write("not json")).toBe(after.trimEnd());
    expect(textsOf(read(compact, [], task).solution)).toEqual({ [path]: after });
  });

  test("keeps the order of keys and the writing of numbers", () => {
    const reply = '{\n  "b": 1.0,\n  "10": 1e-3,\n  "2": -0,\n  "__proto__": [],\n  "a": {}\n}\n';
    expect(textsOf(read(reply, start, free).solution)).toEqual({
      [path]: '{\n  "b": 1.0,\n  "10": 1e-3,\n  "2": -0,\n  "__proto__": [],\n  "a": {}\n}\n',
    });
  });

  test("takes Python's words for literals", () => {
    const result = read('{"a": True, "b": None}', start, free);
    expect(result.edit.repairs).toEqual(["python-literal"]);
    expect(textsOf(result.solution)).toEqual({ [path]: '{\n  "a": true,\n  "b": null\n}\n' });
  });

  test("of any content becomes exactly that content", () => {
    const object = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue());
    fc.assert(
      fc.property(
        object,
        fc.boolean(),
        fc.constantFrom("", "Here: ", "```json\n"),
        (value, pretty, intro) => {
          const printed = JSON.stringify(value, null, pretty ? 2 : undefined);
          const reply = intro + printed + (intro.startsWith("`") ? "\n```" : "");
          const result = read(reply, solutionOf({ [path]: "{}\n" }), free);
          expect(result.edit.problem).toBeNull();
          expect(textsOf(result.solution)).toEqual({
            [path]: `${JSON.stringify(JSON.parse(printed), null, 2)}\n`,
          });
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("the schema check", () => {
  const cases: readonly [schema: unknown, value: unknown, allowed: boolean][] = [
    [{ type: ["integer", "null"] }, null, true],
    [{ type: ["integer", "null"] }, 1.5, false],
    [{ type: "integer" }, 2, true],
    [{ enum: [[1, 2], { a: 1 }] }, [1, 2], true],
    [{ enum: [[1, 2], { a: 1 }] }, [2, 1], false],
    [{ const: null }, null, true],
    [{ required: ["a"] }, {}, false],
    [{ properties: { a: { type: "string" } } }, { a: 1 }, false],
    [{ properties: { a: { default: 1 } }, required: ["a"] }, {}, false],
    [{ required: ["toString"] }, {}, false],
    [{ additionalProperties: { type: "number" } }, { a: "x" }, false],
    [{ items: { minimum: 1 } }, [1, 0], false],
    [{ prefixItems: [{ type: "string" }], items: false }, ["a", 1], false],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      false,
    ],
    [{ multipleOf: 0.1 }, 0.3, true],
    [{ multipleOf: 5 }, 7, false],
    [{ minLength: 2 }, "🙂", false],
    [{ pattern: "^a" }, "ba", false],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, true, false],
    [{ oneOf: [{ type: "number" }, { type: "integer" }] }, 1, false],
    [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, 4, false],
    [{ not: { type: "string" } }, "a", false],
    [{ $ref: "#/$defs/layer", $defs: { layer: { minimum: 1 } } }, 0, false],
    [{ $ref: "#" }, {}, true],
    [true, 1, true],
    [false, 1, false],
  ];
  test.each(cases)("%j of %j: %s", (schema, value, allowed) => {
    const problem = schemaProblem(schema, value);
    expect(problem === null).toBe(allowed);
    if (problem !== null) expect(problem).toMatch(/^.*\.$/);
  });
});
