/** Blocks become the new content of a file. */
import { type Context, note, textOf } from "./edit-context.ts";
import { elisionIn } from "./elision.ts";
import { type Match, matchChange } from "./match.ts";
import { refuse } from "./refusal.ts";
import type { Block, ChangeBlock, WholeBlock } from "./scan.ts";
import { isStrayMarker } from "./syntax.ts";
import { emptyTextFile, newLines, type TextFile, type TextLine, withLines } from "./text-file.ts";

/**
 * New content of a file; null if it is removed.
 * @throws Refusal if the blocks contradict each other, or a change does not fit the file.
 */
export function contentOf(path: string, blocks: readonly Block[], context: Context): Uint8Array | null {
  const exists = context.known.has(path);
  const [first] = blocks;
  if (first === undefined) return refuse(`Nothing is said about ${path}.`);
  if (blocks.some((block) => block.kind !== first.kind))
    return refuse(`${path} is edited in more than one way.`);
  if (first.kind === "delete")
    return exists ? null : refuse(`${path} cannot be deleted: it is not in the solution.`);
  const text = textOf(path, context);
  if (first.kind === "whole") {
    const all = blocks.filter((block) => block.kind === "whole");
    if (all.some((block) => block.lines.join("\n") !== first.lines.join("\n")))
      return refuse(`${path} is written more than once, with different contents.`);
    if (all.length > 1) note(["duplicate-block"], context);
    return wholeFile(path, first, text ?? emptyTextFile);
  }
  const changes = blocks.filter((block) => block.kind === "change");
  if (exists && text === null) return refuse(`${path} is not a text file, so no part of it can be searched.`);
  return changedFile(path, changes, text ?? emptyTextFile, exists, context);
}

function wholeFile(path: string, block: WholeBlock, file: TextFile): Uint8Array {
  const before = new Set(file.lines.map((line) => line.text));
  checkElision(path, block.lines, before);
  if (block.lines.some((line) => isStrayMarker(line) && !before.has(line)))
    return refuse(`The new content of ${path} contains SEARCH/REPLACE markers, so an edit in it is broken.`);
  const isDiff = (lines: readonly string[]): boolean =>
    lines.some((line) => /^@@ -\d+(?:,\d+)? \+\d/.test(line));
  if (
    block.language === "diff" ||
    block.language === "patch" ||
    (isDiff(block.lines) && !isDiff([...before]))
  )
    return refuse(`The block for ${path} is a diff; it must be the whole file or SEARCH/REPLACE changes.`);
  return withLines(file, newLines(file, block.lines));
}

function checkElision(path: string, lines: readonly string[], before: ReadonlySet<string>): void {
  const elision = elisionIn(lines, before);
  if (elision !== null) refuse(`The edit of ${path} leaves code out (${JSON.stringify(elision)}).`);
}

/** All changes are found in the file as it was; none may touch another. */
function changedFile(
  path: string,
  changes: readonly ChangeBlock[],
  file: TextFile,
  exists: boolean,
  context: Context,
): Uint8Array {
  const texts = file.lines.map((line) => line.text);
  const before = new Set(texts);
  const matches: Match[] = [];
  for (const change of changes) {
    checkElision(path, change.replace, before);
    if (change.doubtfulDivider !== null && before.has(change.doubtfulDivider))
      return refuse(`A change of ${path} has no certain divider between its parts.`);
    if (change.search.length === 0) {
      if (texts.length > 0 || changes.length > 1)
        return refuse(`A change of ${path} has an empty SEARCH, so its place is unclear.`);
      matches.push({ at: 0, count: 0, replace: change.replace, repairs: [] });
      continue;
    }
    if (!exists) return refuse(`A change searches in ${path}, which is not in the solution.`);
    const match = matchChange(texts, change, path);
    note(match.repairs, context);
    matches.push(match);
  }
  matches.sort((a, b) => a.at - b.at);
  const lines: TextLine[] = [];
  let next = 0;
  for (const match of matches) {
    if (match.at < next) return refuse(`Two changes of ${path} overlap.`);
    lines.push(...file.lines.slice(next, match.at));
    lines.push(...replaced(file, match));
    next = match.at + match.count;
  }
  lines.push(...file.lines.slice(next));
  return withLines(file, lines);
}

/** Lines a change only repeats for orientation keep their own line ends. */
function replaced(file: TextFile, match: Match): TextLine[] {
  const old = file.lines.slice(match.at, match.at + match.count);
  const shared = Math.min(old.length, match.replace.length);
  let head = 0;
  while (head < shared && old[head]?.text === match.replace[head]) head++;
  let tail = 0;
  while (tail < shared - head && old.at(-1 - tail)?.text === match.replace.at(-1 - tail)) tail++;
  return [
    ...old.slice(0, head),
    ...newLines(file, match.replace.slice(head, match.replace.length - tail)),
    ...old.slice(old.length - tail),
  ];
}
