import { expect, test } from "vitest";
import { schemaOutline } from "../../../src/core/prompt/schema-outline.ts";

test("a schema is one line a key", () => {
  const outline = schemaOutline({
    type: "object",
    properties: {
      scaler: { enum: ["none", "standard", "minmax"] },
      depth: { type: "integer", minimum: 1, maximum: 16 },
      lr: { type: "number", exclusiveMinimum: 0, description: "learning rate" },
      shuffle: { type: "boolean" },
      note: { type: ["string", "null"] },
      layers: { type: "array", items: { type: "integer", multipleOf: 8 }, minItems: 1, maxItems: 4 },
      range: { type: "array", prefixItems: [{ type: "number" }, { type: "number" }] },
      kernel: { anyOf: [{ const: "rbf" }, { $ref: "#/$defs/poly" }] },
      extra: {},
    },
    required: ["scaler", "depth", "lr", "shuffle", "note", "layers", "range", "kernel"],
    $defs: { poly: { type: "object", properties: { degree: { type: "integer" } }, required: ["degree"] } },
  });
  expect(outline.split("\n")).toEqual([
    '"scaler": "none" | "standard" | "minmax"',
    '"depth": integer >= 1 and <= 16',
    '"lr": number > 0 (learning rate)',
    '"shuffle": true | false',
    '"note": string | null',
    '"layers": [integer a multiple of 8, ...] (1 to 4 items)',
    '"range": [number, number]',
    '"kernel": "rbf" | { "degree": integer }',
    '"extra": any value, optional',
  ]);
});

test("a schema that refers to itself ends", () => {
  const node = { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] };
  expect(schemaOutline(node).length).toBeLessThan(400);
  expect(schemaOutline({ additionalProperties: { type: "number" }, properties: {} })).toBe(
    "any other key: number",
  );
});
