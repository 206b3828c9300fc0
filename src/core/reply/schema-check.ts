/**
 * Checks a value against the JSON Schema of a `json` task. Hand-written, because zod's `fromJSONSchema` lets
 * values through that a schema forbids (`required` keys without a property, required keys with a default, schemas
 * without `type`), refuses lists in `enum`, and says only "Invalid input" where a person needs the allowed values.
 *
 * Read: type, enum, const, properties, required, additionalProperties, minProperties, maxProperties, items,
 * prefixItems, minItems, maxItems, uniqueItems, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf,
 * minLength, maxLength, pattern, anyOf, oneOf, allOf, not, and `$ref` inside the schema. Other keywords allow
 * everything: the score command has the last word anyway.
 */

type Schema = Readonly<Record<string, unknown>>;

const deepest = 64;

/** The first thing wrong with `value`, as a sentence; null if the schema allows it. */
export function schemaProblem(schema: unknown, value: unknown): string | null {
  return problem(schema, value, "", isRecord(schema) ? schema : {}, 0);
}

function problem(schema: unknown, value: unknown, at: string, root: Schema, depth: number): string | null {
  if (schema === false) return `${nameOf(at)} is not allowed.`;
  if (!isRecord(schema) || depth > deepest) return null;
  const check = (inner: unknown, item: unknown, path: string): string | null =>
    problem(inner, item, path, root, depth + 1);

  if (typeof schema.$ref === "string") {
    const wrong = check(referenced(root, schema.$ref), value, at);
    if (wrong !== null) return wrong;
  }
  return (
    kindProblem(schema, value, at) ??
    (typeof value === "number" ? numberProblem(schema, value, at) : null) ??
    (typeof value === "string" ? stringProblem(schema, value, at) : null) ??
    (Array.isArray(value) ? arrayProblem(schema, value, at, check) : null) ??
    (isRecord(value) ? objectProblem(schema, value, at, check) : null) ??
    combinationProblem(schema, value, at, check)
  );
}

type Check = (schema: unknown, value: unknown, at: string) => string | null;

function kindProblem(schema: Schema, value: unknown, at: string): string | null {
  const types = typeof schema.type === "string" ? [schema.type] : listOf(schema.type);
  if (types !== null && !types.some((type) => hasType(value, type)))
    return `${nameOf(at)} must be ${types.join(" or ")}, not ${show(value)}.`;
  const allowed = "const" in schema ? [schema.const] : listOf(schema.enum);
  if (allowed !== null && !allowed.some((one) => canonical(one) === canonical(value)))
    return `${nameOf(at)} must be one of ${allowed.map(show).join(", ")}, not ${show(value)}.`;
  return null;
}

function numberProblem(schema: Schema, value: number, at: string): string | null {
  const bound = (key: string, holds: (limit: number) => boolean, words: string): string | null => {
    const limit = schema[key];
    return typeof limit !== "number" || holds(limit)
      ? null
      : `${nameOf(at)} must be ${words} ${limit}, not ${value}.`;
  };
  return (
    bound("minimum", (limit) => value >= limit, "at least") ??
    bound("maximum", (limit) => value <= limit, "at most") ??
    bound("exclusiveMinimum", (limit) => value > limit, "above") ??
    bound("exclusiveMaximum", (limit) => value < limit, "below") ??
    bound("multipleOf", (step) => isMultiple(value, step), "a multiple of")
  );
}

function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.max(1, Math.abs(quotient));
}

function stringProblem(schema: Schema, value: string, at: string): string | null {
  const length = [...value].length;
  if (typeof schema.minLength === "number" && length < schema.minLength)
    return `${nameOf(at)} must have at least ${schema.minLength} characters.`;
  if (typeof schema.maxLength === "number" && length > schema.maxLength)
    return `${nameOf(at)} must have at most ${schema.maxLength} characters.`;
  if (typeof schema.pattern === "string" && !matches(schema.pattern, value))
    return `${nameOf(at)} must match ${schema.pattern}, which ${show(value)} does not.`;
  return null;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function arrayProblem(schema: Schema, value: readonly unknown[], at: string, check: Check): string | null {
  if (typeof schema.minItems === "number" && value.length < schema.minItems)
    return `${nameOf(at)} must have at least ${schema.minItems} items.`;
  if (typeof schema.maxItems === "number" && value.length > schema.maxItems)
    return `${nameOf(at)} must have at most ${schema.maxItems} items.`;
  if (schema.uniqueItems === true && new Set(value.map(canonical)).size < value.length)
    return `${nameOf(at)} must not repeat an item.`;
  const first = listOf(schema.prefixItems) ?? [];
  for (const [index, item] of value.entries()) {
    const inner = index < first.length ? first[index] : schema.items;
    const wrong = check(inner, item, `${at}[${index}]`);
    if (wrong !== null) return wrong;
  }
  return null;
}

function objectProblem(schema: Schema, value: Schema, at: string, check: Check): string | null {
  const keys = Object.keys(value);
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const path = (key: string): string => (at === "" ? key : `${at}.${key}`);
  for (const key of listOf(schema.required) ?? []) {
    if (typeof key === "string" && !Object.hasOwn(value, key))
      return `The key ${show(path(key))} is missing.`;
  }
  if (typeof schema.minProperties === "number" && keys.length < schema.minProperties)
    return `${nameOf(at)} must have at least ${schema.minProperties} keys.`;
  if (typeof schema.maxProperties === "number" && keys.length > schema.maxProperties)
    return `${nameOf(at)} must have at most ${schema.maxProperties} keys.`;
  for (const key of keys) {
    const known = Object.hasOwn(properties, key);
    if (!known && schema.additionalProperties === false) return `The key ${show(path(key))} is not allowed.`;
    const wrong = check(known ? properties[key] : schema.additionalProperties, value[key], path(key));
    if (wrong !== null) return wrong;
  }
  return null;
}

function combinationProblem(schema: Schema, value: unknown, at: string, check: Check): string | null {
  for (const part of listOf(schema.allOf) ?? []) {
    const wrong = check(part, value, at);
    if (wrong !== null) return wrong;
  }
  const fitting = (parts: readonly unknown[]): number =>
    parts.filter((part) => check(part, value, at) === null).length;
  const any = listOf(schema.anyOf);
  if (any !== null && fitting(any) === 0)
    return `${nameOf(at)} fits none of its allowed forms: ${show(value)}.`;
  const one = listOf(schema.oneOf);
  if (one !== null && fitting(one) !== 1)
    return `${nameOf(at)} fits ${fitting(one)} of its allowed forms instead of one: ${show(value)}.`;
  if (schema.not !== undefined && check(schema.not, value, at) === null)
    return `${nameOf(at)} must not be ${show(value)}.`;
  return null;
}

/** The part of the schema a local reference such as `#/$defs/layer` means; undefined allows everything. */
export function referenced(root: Schema, reference: string): unknown {
  if (!reference.startsWith("#")) return undefined;
  let part: unknown = root;
  for (const raw of reference.slice(1).split("/").slice(1)) {
    const key = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    part = isRecord(part) || Array.isArray(part) ? (part as Schema)[key] : undefined;
  }
  return part;
}

export function isRecord(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

function hasType(value: unknown, type: unknown): boolean {
  switch (type) {
    case "object":
      return isRecord(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** Equal for equal JSON values, whatever the order of keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "";
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function nameOf(at: string): string {
  return at === "" ? "The object" : JSON.stringify(at);
}
