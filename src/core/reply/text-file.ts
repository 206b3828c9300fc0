/**
 * A text file as lines, so that an edit changes the lines it means and nothing else: the byte order mark, each
 * untouched line's own line end and the presence of a final newline survive.
 */

export interface TextLine {
  readonly text: string;
  /** `\n`, `\r\n`, or empty for a last line without a line end. */
  readonly eol: "\n" | "\r\n" | "";
}

export interface TextFile {
  readonly bom: boolean;
  readonly lines: readonly TextLine[];
  /** The line end of most lines: new lines get it. */
  readonly eol: "\n" | "\r\n";
  /** False only for a file whose last line has no line end. */
  readonly finalNewline: boolean;
}

export const emptyTextFile: TextFile = { bom: false, lines: [], eol: "\n", finalNewline: true };

/** Null if the bytes are not UTF-8 text. */
export function parseTextFile(bytes: Uint8Array): TextFile | null {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
  if (text.includes("\u0000")) return null;
  const bom = text.startsWith("\ufeff");
  if (bom) text = text.slice(1);
  const lines: TextLine[] = [];
  let crlf = 0;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf("\n", from);
    if (newline < 0) {
      lines.push({ text: text.slice(from), eol: "" });
      break;
    }
    const isCrlf = newline > from && text[newline - 1] === "\r";
    if (isCrlf) crlf++;
    lines.push({
      text: text.slice(from, isCrlf ? newline - 1 : newline),
      eol: isCrlf ? "\r\n" : "\n",
    });
    from = newline + 1;
  }
  return {
    bom,
    lines,
    eol: crlf * 2 > lines.filter((line) => line.eol !== "").length ? "\r\n" : "\n",
    finalNewline: lines.at(-1)?.eol !== "",
  };
}

/** The text as a model sees it: `\n` between lines, no byte order mark, no final newline. */
export function shownText(file: TextFile): string {
  return file.lines.map((line) => line.text).join("\n");
}

/** The file with other lines in it: byte order mark, line ends and final newline as before. */
export function withLines(file: TextFile, lines: readonly TextLine[]): Uint8Array {
  const last = lines.length - 1;
  const text = lines
    .map((line, index) => line.text + (index === last && !file.finalNewline ? "" : line.eol || file.eol))
    .join("");
  return new TextEncoder().encode((file.bom ? "\ufeff" : "") + text);
}

/** Lines with the file's own line end. */
export function newLines(file: TextFile, texts: readonly string[]): TextLine[] {
  return texts.map((text) => ({ text, eol: file.eol }));
}
