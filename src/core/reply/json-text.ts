/**
 * JSON as a tree that remembers what `JSON.parse` forgets: the order of all keys, and how numbers were written
 * (`1` and `1.0` are different values to most programs that read a configuration). The parser also takes the
 * slips small models make; each is a rung of the repair ladder.
 */
import { refuse } from "./refusal.ts";

export type Json =
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, Json])[] }
  | { readonly kind: "array"; readonly items: readonly Json[] }
  | { readonly kind: "string"; readonly value: string }
  /** `source` is a valid JSON number. */
  | { readonly kind: "number"; readonly source: string }
  | { readonly kind: "literal"; readonly value: boolean | null };

export interface ParsedJson {
  readonly value: Json;
  readonly repairs: readonly string[];
  /** Offset after the value. */
  readonly end: number;
}

const deepest = 64;
const words: Readonly<Record<string, boolean | null>> = {
  true: true,
  false: false,
  null: null,
  True: true,
  False: false,
  None: null,
};

/**
 * Reads the value that begins at `from`; text after it is not looked at.
 * @throws Refusal where the text is not JSON, or says two things (a key twice).
 */
export function parseJson(text: string, from = 0): ParsedJson {
  let at = from;
  const repairs: string[] = [];
  const note = (repair: string): void => {
    if (!repairs.includes(repair)) repairs.push(repair);
  };
  const fail = (what: string): never => {
    const before = text.slice(from, at).split("\n");
    return refuse(`The JSON is broken at line ${before.length}: ${what}.`);
  };
  const skip = (): void => {
    for (;;) {
      const blank = /[\s\ufeff]*/y;
      blank.lastIndex = at;
      at += blank.exec(text)?.[0].length ?? 0;
      const comment = /\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//y;
      comment.lastIndex = at;
      const found = comment.exec(text);
      if (found === null) return;
      note("json-comment");
      at += found[0].length;
    }
  };
  const take = (pattern: RegExp): string | null => {
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = at;
    const found = sticky.exec(text);
    if (found === null) return null;
    at += found[0].length;
    return found[0];
  };
  const string = (quote: string): string => {
    at++;
    let value = "";
    for (;;) {
      const char = text[at];
      if (char === undefined || char === "\n") return fail("a string is not closed");
      at++;
      if (char === quote) return value;
      value += char === "\\" ? escaped() : char;
    }
  };
  const escaped = (): string => {
    const char = text[at++];
    const known: Readonly<Record<string, string>> = {
      n: "\n",
      t: "\t",
      r: "\r",
      b: "\b",
      f: "\f",
      "/": "/",
      "\\": "\\",
      '"': '"',
      "'": "'",
    };
    if (char === "u") {
      const digits = take(/[0-9a-fA-F]{4}/);
      return digits === null
        ? fail("an escape is not complete")
        : String.fromCharCode(Number.parseInt(digits, 16));
    }
    return known[char ?? ""] ?? fail("an escape is unknown");
  };
  /** The members between `open` and `close`, with commas between them. */
  const list = (close: string, member: () => void): void => {
    at++;
    for (;;) {
      skip();
      if (text[at] === close) break;
      member();
      skip();
      if (text[at] === close) break;
      if (text[at] !== ",") fail(`a comma or ${close} is missing`);
      at++;
      skip();
      if (text[at] === close) note("trailing-comma");
    }
    at++;
  };
  const key = (): string => {
    const char = text[at];
    if (char === '"') return string(char);
    if (char === "'") {
      note("single-quotes");
      return string(char);
    }
    const bare = take(/[A-Za-z_$][\w$-]*/);
    if (bare === null) return fail("a key is missing");
    note("bare-key");
    return bare;
  };
  const value = (depth: number): Json => {
    if (depth > deepest) return fail("it is nested too deeply");
    const char = text[at];
    if (char === "{") {
      const entries: [string, Json][] = [];
      list("}", () => {
        const name = key();
        skip();
        if (text[at] !== ":") fail("a colon is missing");
        at++;
        skip();
        const read = value(depth + 1);
        const earlier = entries.find(([known]) => known === name);
        if (earlier !== undefined && !sameJson(earlier[1], read))
          fail(`the key ${JSON.stringify(name)} stands twice with different values`);
        if (earlier === undefined) entries.push([name, read]);
        else note("duplicate-key");
      });
      return { kind: "object", entries };
    }
    if (char === "[") {
      const items: Json[] = [];
      list("]", () => items.push(value(depth + 1)));
      return { kind: "array", items };
    }
    if (char === '"') return { kind: "string", value: string(char) };
    if (char === "'") {
      note("single-quotes");
      return { kind: "string", value: string(char) };
    }
    const number = take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/);
    if (number !== null) return { kind: "number", source: number };
    const word = take(/[A-Za-z]+(?![\w.])/);
    const literal = word === null ? undefined : words[word];
    if (word === null || literal === undefined) return fail("a value is missing or is not JSON");
    if (word[0] !== word[0]?.toLowerCase()) note("python-literal");
    return { kind: "literal", value: literal };
  };
  skip();
  const read = value(0);
  return { value: read, repairs, end: at };
}

/** Equal whatever the order of keys. */
export function sameJson(a: Json, b: Json): boolean {
  if (a.kind === "object" && b.kind === "object")
    return (
      a.entries.length === b.entries.length &&
      a.entries.every(([key, value]) => {
        const other = b.entries.find(([name]) => name === key);
        return other !== undefined && sameJson(value, other[1]);
      })
    );
  if (a.kind === "array" && b.kind === "array")
    return (
      a.items.length === b.items.length &&
      a.items.every((item, index) => {
        const other = b.items[index];
        return other !== undefined && sameJson(item, other);
      })
    );
  if (a.kind === "number" && b.kind === "number")
    return a.source === b.source || (Number(a.source) === Number(b.source) && isWhole(a) === isWhole(b));
  if (a.kind === "string" && b.kind === "string") return a.value === b.value;
  if (a.kind === "literal" && b.kind === "literal") return a.value === b.value;
  return false;
}

function isWhole(number: { readonly source: string }): boolean {
  return /^-?\d+$/.test(number.source);
}

/** The plain value. */
export function toPlain(json: Json): unknown {
  switch (json.kind) {
    case "object":
      return Object.fromEntries(json.entries.map(([key, value]) => [key, toPlain(value)]));
    case "array":
      return json.items.map(toPlain);
    case "number":
      return Number(json.source);
    default:
      return json.value;
  }
}
