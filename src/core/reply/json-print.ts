/** JSON in the layout a file already has. */
import type { Json } from "./json-text.ts";

/** How a file lays its JSON out. */
export interface JsonLayout {
  /** Null when it stands on one line. */
  readonly indent: string | null;
  /** Stands after colons and, on one line, after commas. */
  readonly space: " " | "";
}

export function layoutOf(text: string): JsonLayout {
  const trimmed = text.trim();
  if (trimmed.length <= 2) return { indent: "  ", space: " " };
  const space = /"\s*:\S/.test(trimmed) ? "" : " ";
  if (!trimmed.includes("\n")) return { indent: null, space };
  return { indent: /\n([ \t]+)\S/.exec(trimmed)?.[1] ?? "", space };
}

/** As `JSON.stringify` prints in this layout, but with the numbers as they were written. */
export function printJson(value: Json, layout: JsonLayout, margin = ""): string {
  if (value.kind === "number") return value.source;
  if (value.kind === "string" || value.kind === "literal") return JSON.stringify(value.value);
  const inner = margin + (layout.indent ?? "");
  const members =
    value.kind === "object"
      ? value.entries.map(
          ([key, item]) => `${JSON.stringify(key)}:${layout.space}${printJson(item, layout, inner)}`,
        )
      : value.items.map((item) => printJson(item, layout, inner));
  const [open, close] = value.kind === "object" ? ["{", "}"] : ["[", "]"];
  if (members.length === 0) return open + close;
  if (layout.indent === null) return open + members.join(`,${layout.space}`) + close;
  return `${open}\n${inner}${members.join(`,\n${inner}`)}\n${margin}${close}`;
}
