/**
 * The columns of a form as `datasets` wants them declared in a card (`dataset_info.features`). Without it they are
 * guessed from the first 10 MB, and a later line with a fraction or a value where all before had none does not load.
 */
import { z } from "zod";

/** What `z.toJSONSchema` makes of the kinds of fields that rows have. */
interface JsonSchema {
  /** Several where a value may be null. */
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

type Feature =
  | { readonly dtype: string }
  | { readonly list: unknown }
  | { readonly struct: readonly unknown[] };

export function featuresOf(row: z.ZodObject): readonly object[] {
  return fieldsOf(z.toJSONSchema(row) as JsonSchema);
}

function fieldsOf({ properties = {} }: JsonSchema): object[] {
  return Object.entries(properties).map(([name, schema]) => ({ name, ...featureOf(schema) }));
}

const dtypes: Readonly<Record<string, string>> = {
  string: "string",
  boolean: "bool",
  integer: "int64",
  number: "float64",
};

/** A column may always be null, so nothing is said of that. */
function featureOf(schema: JsonSchema): Feature {
  const { anyOf, items, properties } = schema;
  const type = [schema.type ?? []].flat().find((name) => name !== "null");
  const value = anyOf?.find((option) => option.type !== "null");
  if (value !== undefined) return featureOf(value);
  if (items !== undefined) {
    const item = featureOf(items);
    if ("struct" in item) return { list: item.struct };
    return { list: "dtype" in item ? item.dtype : item };
  }
  if (properties !== undefined) return { struct: fieldsOf(schema) };
  // The keys differ from row to row.
  if (type === "object") return { dtype: "json" };
  const dtype = dtypes[type ?? "none"];
  if (dtype === undefined) throw new RangeError(`no column holds ${JSON.stringify(schema)}`);
  return { dtype };
}
