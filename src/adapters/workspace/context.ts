/** The texts of the `context` set: read strictly, cut to their first lines. */
import { open } from "node:fs/promises";
import type { Entry } from "./entries.ts";

/** Bytes of text one context file may show. */
const contextLimit = 1 << 20;

/**
 * The text of a file, or what keeps it from being shown.
 * @param head number of lines; null: all
 */
export async function readContext(
  entry: Entry,
  head: number | null,
): Promise<{ readonly text: string } | { readonly fault: string }> {
  const bytes = await readStart(entry.real, contextLimit + 1);
  const end = head === null ? bytes.length : endOfLines(bytes, head);
  if (end > contextLimit)
    return {
      fault:
        head === null
          ? `is larger than 1 MiB, too much to show to a model; write { "file": "${entry.path}", "head": 20 } to show its first lines`
          : `has first lines of more than 1 MiB; show fewer lines`,
    };
  const shown = bytes.subarray(0, end);
  try {
    if (shown.includes(0)) throw new TypeError("NUL");
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(shown) };
  } catch {
    return { fault: "is not UTF-8 text, so it cannot be shown to a model; take it out of context" };
  }
}

async function readStart(path: string, limit: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const buffer = new Uint8Array(limit);
    let length = 0;
    while (length < limit) {
      const { bytesRead } = await file.read(buffer, length, limit - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** The offset behind the first `lines` lines, or the whole length. */
function endOfLines(bytes: Uint8Array, lines: number): number {
  let end = 0;
  for (let line = 0; line < lines; line++) {
    const next = bytes.indexOf(10, end);
    if (next < 0) return bytes.length;
    end = next + 1;
  }
  return end;
}
