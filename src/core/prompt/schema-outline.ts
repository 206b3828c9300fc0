/** A JSON Schema in as few words as a small model needs: one line a key, `"scaler": "none" | "standard"`. */
import { isRecord, listOf, referenced } from "../reply/schema-check.ts";

type Schema = Readonly<Record<string, unknown>>;

const deepest = 6;

/** One line for each key of the object; a schema of another shape is one line. */
export function schemaOutline(schema: Schema): string {
  const properties = isRecord(schema.properties) ? schema.properties : null;
  if (properties === null) return outline(schema, schema, 0);
  const lines = Object.entries(properties).map(([key, part]) => member(key, part, schema, schema, 0));
  if (isRecord(schema.additionalProperties))
    lines.push(`any other key: ${outline(schema.additionalProperties, schema, 1)}`);
  return lines.join("\n");
}

function member(key: string, part: unknown, owner: Schema, root: Schema, depth: number): string {
  const needed = (listOf(owner.required) ?? []).includes(key);
  const about = isRecord(part) && typeof part.description === "string" ? ` (${part.description})` : "";
  return `${JSON.stringify(key)}: ${outline(part, root, depth + 1)}${needed ? "" : ", optional"}${about}`;
}

function outline(schema: unknown, root: Schema, depth: number): string {
  if (!isRecord(schema)) return schema === false ? "nothing" : "any value";
  if (typeof schema.$ref === "string")
    return depth > deepest ? "any value" : outline(referenced(root, schema.$ref), root, depth + 1);
  if ("const" in schema) return JSON.stringify(schema.const);
  const values = listOf(schema.enum);
  if (values !== null) return values.map((value) => JSON.stringify(value)).join(" | ");
  const forms = listOf(schema.anyOf) ?? listOf(schema.oneOf);
  if (forms !== null) return forms.map((form) => outline(form, root, depth + 1)).join(" | ");
  const types = typeof schema.type === "string" ? [schema.type] : (listOf(schema.type) ?? []);
  if (types.length === 0)
    return isRecord(schema.properties) ? objectOutline(schema, root, depth) : "any value";
  return types.map((type) => ofType(String(type), schema, root, depth)).join(" | ");
}

function ofType(type: string, schema: Schema, root: Schema, depth: number): string {
  if (type === "boolean") return "true | false";
  if (type === "integer" || type === "number") return type + rangeOf(schema);
  if (type === "string")
    return typeof schema.pattern === "string" ? `string matching ${schema.pattern}` : "string";
  if (type === "array") {
    const [least, most] = [schema.minItems, schema.maxItems];
    const first = listOf(schema.prefixItems);
    if (first !== null) return `[${first.map((item) => outline(item, root, depth + 1)).join(", ")}]`;
    const count =
      least === undefined && most === undefined ? "" : ` (${least ?? 0} to ${most ?? "any number of"} items)`;
    return depth > deepest ? `list${count}` : `[${outline(schema.items, root, depth + 1)}, ...]${count}`;
  }
  return type === "object" ? objectOutline(schema, root, depth) : type;
}

function objectOutline(schema: Schema, root: Schema, depth: number): string {
  const properties = isRecord(schema.properties) ? schema.properties : null;
  if (properties === null || depth > deepest) return "object";
  return `{ ${Object.entries(properties)
    .map(([key, part]) => member(key, part, schema, root, depth))
    .join("; ")} }`;
}

function rangeOf(schema: Schema): string {
  const bounds: string[] = [];
  if (typeof schema.minimum === "number") bounds.push(`>= ${schema.minimum}`);
  if (typeof schema.exclusiveMinimum === "number") bounds.push(`> ${schema.exclusiveMinimum}`);
  if (typeof schema.maximum === "number") bounds.push(`<= ${schema.maximum}`);
  if (typeof schema.exclusiveMaximum === "number") bounds.push(`< ${schema.exclusiveMaximum}`);
  if (typeof schema.multipleOf === "number") bounds.push(`a multiple of ${schema.multipleOf}`);
  return bounds.length === 0 ? "" : ` ${bounds.join(" and ")}`;
}
