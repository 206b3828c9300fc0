/**
 * The syntax of edits, shared by the prompt that asks for it and the reader that takes it.
 *
 * A whole file (`~` stands for a backtick):
 *
 *     FILE: path/of/file.py
 *     ~~~python
 *     the complete content
 *     ~~~
 *
 * Changes inside a file, one or more below each other:
 *
 *     FILE: path/of/file.py
 *     <<<<<<< SEARCH
 *     whole lines of the file, found there exactly once
 *     =======
 *     the lines that replace them
 *     >>>>>>> REPLACE
 *
 * `DELETE: path/of/file.py` removes a file. An empty SEARCH creates a file.
 *
 * Content that itself holds fences or markers is quoted by length: the fence is longer than every run of backticks
 * in the content, and all three markers are longer than every marker-like line in it. Line ends and the final
 * newline are not part of the syntax: they stay as they are in the file. One thing cannot be said: a whole file
 * that brings in SEARCH or REPLACE marker lines the file did not have; such a reply is refused.
 */

/** A run of backticks longer than any in `text`, at least three. */
export function fenceFor(text: string): string {
  let longest = 2;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  return "`".repeat(longest + 1);
}

/** Length of the markers for changes whose texts may hold any line of `texts`: 7, or longer than their own. */
export function markerLengthFor(texts: readonly string[]): number {
  let longest = 6;
  for (const text of texts) {
    for (const line of text.split("\n")) {
      const run = /^\s*(<{5,}|={5,}|>{5,})\s*(?:[A-Z]+.*)?$/.exec(line)?.[1];
      if (run !== undefined) longest = Math.max(longest, run.length, 7);
    }
  }
  return longest + 1;
}

export interface Markers {
  readonly search: string;
  readonly divider: string;
  readonly replace: string;
}

export function markersOf(length: number): Markers {
  return {
    search: `${"<".repeat(length)} SEARCH`,
    divider: "=".repeat(length),
    replace: `${">".repeat(length)} REPLACE`,
  };
}

export interface Opener {
  readonly length: number;
  /** False for `ORIGINAL` and other spellings of the same thing. */
  readonly exact: boolean;
  /** Text after the marker, usually a path. */
  readonly rest: string | null;
}

/** Reads the line that opens a change; null if it is another line. */
export function openerOf(line: string): Opener | null {
  const match = /^(<{5,}) ?(SEARCH|ORIGINAL)(?:[ :]+(\S.*?))?\s*$/.exec(line);
  if (match === null) return null;
  const rest = match[3] ?? null;
  const length = match[1]?.length ?? 0;
  return {
    length,
    rest,
    exact: length >= 7 && rest === null && line.trimEnd() === markersOf(length).search,
  };
}

/** Length of a line of only `=`, at least five; 0 for another line. */
export function dividerLength(line: string): number {
  return /^={5,}\s*$/.test(line) ? line.trimEnd().length : 0;
}

/** Length of the line that closes a change in any spelling; 0 for another line. */
export function closerLength(line: string): number {
  return /^(>{5,}) ?(?:REPLACE|UPDATED)?\s*$/.exec(line)?.[1]?.length ?? 0;
}

/** A marker in a place where none can stand: something of the change around it is missing or indented. */
export function isStrayMarker(line: string): boolean {
  return /^\s*(?:>{5,} ?(?:REPLACE|UPDATED)?|<{5,} ?(?:SEARCH|ORIGINAL)\b.*)\s*$/.test(line);
}

export interface FenceLine {
  readonly mark: "`" | "~";
  readonly length: number;
  readonly indent: number;
  readonly info: string;
}

/** Reads a line that opens (or, with an empty info, closes) a fenced block (CommonMark 0.31, section 4.5). */
export function fenceLineOf(line: string): FenceLine | null {
  const match = /^( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$/.exec(line);
  if (match === null) return null;
  const run = match[2] ?? match[4] ?? "";
  return {
    mark: run.startsWith("`") ? "`" : "~",
    length: run.length,
    indent: match[1]?.length ?? 0,
    info: (match[3] ?? match[5] ?? "").trim(),
  };
}

/**
 * Does the line close the block? CommonMark lets a longer fence close too; here that would hide a lost opening
 * fence, and what is written in our syntax closes with an equal one.
 */
export function closes(line: string, opened: FenceLine): boolean {
  const fence = fenceLineOf(line);
  return fence !== null && fence.mark === opened.mark && fence.length === opened.length && fence.info === "";
}
