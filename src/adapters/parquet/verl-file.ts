/** The rows for verl as a parquet file: what `datasets`, pandas and verl's own reader take without being told a schema. */
import { parquetWriteBuffer } from "hyparquet-writer";
import type { VerlRow } from "../../core/export/verl.ts";

type Field = NonNullable<Parameters<typeof parquetWriteBuffer>[0]["schema"]>[number];
type Repetition = NonNullable<Field["repetition_type"]>;

const text = (name: string, repetition_type: Repetition = "REQUIRED"): Field[] => [
  { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type },
];
const integer = (name: string): Field[] => [{ name, type: "INT32", repetition_type: "REQUIRED" }];
const number = (name: string, repetition_type: Repetition = "REQUIRED"): Field[] => [
  { name, type: "DOUBLE", repetition_type },
];
const struct = (name: string, ...fields: Field[][]): Field[] => [
  { name, repetition_type: "REQUIRED", num_children: fields.length },
  ...fields.flat(),
];
/** The three levels that parquet's LogicalTypes.md asks for. */
const list = (name: string, ...fields: Field[][]): Field[] => [
  { name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...struct("element", ...fields),
];

/** Depth first, each field before its children. */
const columns = {
  data_source: text("data_source"),
  prompt: list("prompt", text("role"), text("content")),
  ability: text("ability"),
  reward_model: struct("reward_model", text("style"), text("ground_truth")),
  extra_info: struct(
    "extra_info",
    text("split"),
    integer("index"),
    text("task"),
    text("goal"),
    text("group"),
    text("policy"),
    text("startSnapshot", "OPTIONAL"),
    number("startQuality", "OPTIONAL"),
    number("learnability"),
  ),
} satisfies Record<keyof VerlRow, Field[]>;

export function verlFile(rows: readonly VerlRow[]): Uint8Array {
  const names = Object.keys(columns) as (keyof VerlRow)[];
  const file = parquetWriteBuffer({
    columnData: names.map((name) => ({ name, data: rows.map((row) => row[name]) })),
    schema: [{ name: "root", num_children: names.length }, ...Object.values(columns).flat()],
    createdBy: "exit-ml",
  });
  return new Uint8Array(file);
}
