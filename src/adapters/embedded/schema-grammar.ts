/**
 * JSON Schema to GBNF, the grammar notation of llama.cpp. The runtime has a converter of its own, but its grammar
 * demands a tail of line breaks without end and knows no bounds of numbers.
 *
 * The grammar is somewhat narrower than the schema: properties come in the schema's order, all of them, none beside
 * them; white space stands only where `JSON.stringify` puts it, a space or a line break with its indentation, so a
 * reply cannot run on in it.
 * It is wider where only a finished value can be judged: `pattern`, `format`, `multipleOf`, `not`, `uniqueItems`
 * and conditions are not looked at, and bounds of a fractional number hold to the next whole number.
 */
import { ExitError } from "../../core/errors.ts";
import { integerRange, widest } from "./integer-range.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** Repetitions a grammar can count; longer strings and arrays are as good as unbounded. */
const mostRepetitions = 1000;

const sharedRules = {
  ws: String.raw`(" " | "\n" " "{0,16})?`,
  colon: `":" " "?`,
  char: String.raw`[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})`,
  string: String.raw`"\"" char* "\""`,
  fraction: `"." [0-9]{1,8}`,
  number: `"-"? ("0" | [1-9] [0-9]{0,14}) fraction? ([eE] [-+]? [0-9]{1,2})?`,
  boolean: `"true" | "false"`,
  null: `"null"`,
  anyObject: `"{" ws (string colon any ("," ws string colon any)*)? ws "}"`,
  anyArray: `"[" ws (any ("," ws any)*)? ws "]"`,
  any: "anyObject | anyArray | string | number | boolean | null",
} as const;

/**
 * @returns GBNF whose root matches one JSON value of the schema.
 * @throws ExitError `schema-unsupported` where the schema says what to write in a way that is not understood.
 */
export function schemaGrammar(schema: Schema): string {
  const rules = new Map<string, string>();
  const names = new Map<string, string>();

  const define = (pointer: string, write: () => string): string => {
    const known = names.get(pointer);
    if (known !== undefined) return known;
    const name = `rule${names.size}`;
    names.set(pointer, name);
    rules.set(name, write());
    return name;
  };

  const value = (node: unknown, pointer: string): string => {
    if (node === true) return "any";
    if (!isSchema(node)) throw unsupported(pointer, "is not a schema");
    if (typeof node.$ref === "string") {
      const target = node.$ref;
      return define(target, () => value(lookUp(schema, target, pointer), target));
    }
    if ("const" in node) return literal(node.const);
    if (Array.isArray(node.enum)) return choice(node.enum.map(literal));
    const options = node.anyOf ?? node.oneOf;
    if (Array.isArray(options)) return choice(options.map((option, at) => value(option, `${pointer}/${at}`)));
    if ("allOf" in node) throw unsupported(pointer, `uses "allOf"; write the parts into one schema`);
    const types = Array.isArray(node.type) ? node.type : [node.type ?? impliedType(node)];
    return choice(types.map((type) => typed(String(type), node, pointer)));
  };

  const typed = (type: string, node: Schema, pointer: string): string => {
    switch (type) {
      case "object":
        return object(node, pointer);
      case "array":
        return array(node, pointer);
      case "string":
        return string(node);
      case "integer":
        return `(${integer(node, pointer)})`;
      case "number":
        return number(node, pointer);
      case "boolean":
      case "null":
      case "any":
        return type;
      default:
        throw unsupported(pointer, `has the unknown type "${type}"`);
    }
  };

  const object = (node: Schema, pointer: string): string => {
    const properties = Object.entries(isSchema(node.properties) ? node.properties : {});
    if (properties.length === 0) return node.additionalProperties === false ? `"{" ws "}"` : "anyObject";
    const fields = properties.map(([key, property]) => {
      const at = `${pointer}/properties/${key}`;
      return `${literal(key)} colon ${define(at, () => value(property, at))}`;
    });
    return `"{" ws ${fields.join(` "," ws `)} ws "}"`;
  };

  const array = (node: Schema, pointer: string): string => {
    const fixed = (Array.isArray(node.prefixItems) ? node.prefixItems : []).map((item, at) =>
      define(`${pointer}/prefixItems/${at}`, () => value(item, `${pointer}/prefixItems/${at}`)),
    );
    const closed = node.items === false || (fixed.length > 0 && node.items === undefined);
    const items = closed
      ? null
      : define(`${pointer}/items`, () => value(node.items ?? true, `${pointer}/items`));
    const least = Math.max(0, whole(node.minItems) ?? 0) - fixed.length;
    const most = closed ? 0 : (whole(node.maxItems) ?? Number.POSITIVE_INFINITY) - fixed.length;
    const more =
      items === null ? null : separated(items, Math.max(0, least), Math.max(0, most), fixed.length > 0);
    const inner = [fixed.join(` "," ws `), more ?? ""].filter((part) => part !== "").join(" ");
    return inner === "" ? `"[" ws "]"` : `"[" ws ${inner} ws "]"`;
  };

  const root = value(schema, "#");
  rules.set("root", root);
  const lines = [...Object.entries(sharedRules), ...rules].map(([name, body]) => `${name} ::= ${body}`);
  return `${lines.join("\n")}\n`;
}

/** `least` to `most` items with commas between them; `after`: others stand before. */
function separated(item: string, least: number, most: number, after: boolean): string {
  const next = `("," ws ${item})`;
  if (most === 0) return "";
  if (after) return next + repeat(least, most);
  const list = most === 1 ? item : `${item} ${next}${repeat(Math.max(0, least - 1), most - 1)}`;
  return least === 0 ? `(${list})?` : list;
}

function repeat(least: number, most: number): string {
  const from = Math.min(least, mostRepetitions);
  if (most > mostRepetitions) return from === 0 ? "*" : `{${from},}`;
  return `{${from},${most}}`;
}

function string(node: Schema): string {
  const [least, most] = [whole(node.minLength) ?? 0, whole(node.maxLength)];
  if (least === 0 && most === null) return "string";
  return String.raw`"\"" char${repeat(least, most ?? Number.POSITIVE_INFINITY)} "\""`;
}

function integer(node: Schema, pointer: string): string {
  const { low, high } = bounds(node);
  const [first, last] = [wholeAbove(low), wholeBelow(high)];
  if (first > last) throw unsupported(pointer, "allows no whole number between its bounds");
  return integerRange(first, last);
}

/** A number with a bound is written without exponent: its whole part within the bounds, then a fraction. */
function number(node: Schema, pointer: string): string {
  const { low, high } = bounds(node);
  if (low.value === null && high.value === null) return "number";
  const [from, to] = [low.value ?? -widest, high.value ?? widest];
  if (from > to) throw unsupported(pointer, "allows no number between its bounds");
  const parts: string[] = [];
  if (to >= 0) parts.push(magnitude(Math.max(0, from), to, high.open));
  if (from < 0) parts.push(`"-" (${magnitude(Math.max(0, -to), -from, low.open)})`);
  return `(${parts.join(" | ")})`;
}

/** Numbers from the whole part of `from` up to `to`, both of them not negative. */
function magnitude(from: number, to: number, open: boolean): string {
  const [first, last] = [Math.floor(from), Math.floor(to)];
  if (last < to) return `(${integerRange(first, last)}) fraction?`;
  const below = last > first ? [`(${integerRange(first, last - 1)}) fraction?`] : [];
  const end = open && last > first ? [] : [`"${last}" ("." "0"{1,8})?`];
  return [...below, ...end].join(" | ");
}

interface Bound {
  readonly value: number | null;
  /** The value itself is excluded. */
  readonly open: boolean;
}

function bounds(node: Schema): { readonly low: Bound; readonly high: Bound } {
  const [low, above] = [finite(node.minimum), finite(node.exclusiveMinimum)];
  const [high, under] = [finite(node.maximum), finite(node.exclusiveMaximum)];
  return {
    low:
      above !== null && (low === null || above >= low)
        ? { value: above, open: true }
        : { value: low, open: false },
    high:
      under !== null && (high === null || under <= high)
        ? { value: under, open: true }
        : { value: high, open: false },
  };
}

function wholeAbove({ value, open }: Bound): number {
  if (value === null) return -widest;
  return open && Number.isInteger(value) ? value + 1 : Math.max(-widest, Math.ceil(value));
}

function wholeBelow({ value, open }: Bound): number {
  if (value === null) return widest;
  return open && Number.isInteger(value) ? value - 1 : Math.min(widest, Math.floor(value));
}

/** A fixed JSON value as GBNF, written as `JSON.stringify` writes it. */
function literal(value: unknown): string {
  return `"${JSON.stringify(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function choice(options: readonly string[]): string {
  return options.length === 1 ? (options[0] ?? "") : `(${options.join(" | ")})`;
}

/** The type of a schema that names none, from the keywords it uses. */
function impliedType(node: Schema): string {
  if ("properties" in node) return "object";
  if ("items" in node || "prefixItems" in node) return "array";
  return "any";
}

function lookUp(schema: Schema, reference: string, pointer: string): unknown {
  if (!reference.startsWith("#"))
    throw unsupported(pointer, `refers to "${reference}", outside of the schema`);
  let node: unknown = schema;
  for (const part of reference.slice(1).split("/").filter(Boolean)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    node = isSchema(node) ? node[key] : undefined;
  }
  if (node === undefined) throw unsupported(pointer, `refers to "${reference}", which is not there`);
  return node;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function whole(value: unknown): number | null {
  const number = finite(value);
  return number === null ? null : Math.floor(number);
}

function unsupported(pointer: string, what: string): ExitError {
  return new ExitError(
    "schema-unsupported",
    `The solution's schema at ${pointer} ${what}, so replies cannot be constrained to it. Simplify the schema of the task file.`,
  );
}
