/** Replies to `code` tasks: blocks become new contents of solution files. */
import type { ResolvedTask, Solution, SolutionFile } from "../ports.ts";
import { elisionIn } from "./elision.ts";
import { type Label, labelInComment } from "./label.ts";
import { exactPlaces, type Match, matchChange } from "./match.ts";
import { resolvePath } from "./paths.ts";
import { Refusal, refuse } from "./refusal.ts";
import { type Block, type ChangeBlock, scanBlocks, type WholeBlock } from "./scan.ts";
import { isStrayMarker } from "./syntax.ts";
import {
  emptyTextFile,
  newLines,
  parseTextFile,
  type TextFile,
  type TextLine,
  withLines,
} from "./text-file.ts";

export interface CodeEdit {
  readonly kind: "file" | "blocks";
  readonly solution: Solution;
  readonly repairs: readonly string[];
  /** Offsets of the blocks in the text that was read. */
  readonly start: number;
  readonly end: number;
}

/** Languages of blocks that show commands or their output beside an edit. */
const shown = new Set(["bash", "sh", "shell", "zsh", "console", "text", "txt", "plaintext", "output", "log"]);

interface Context {
  readonly task: ResolvedTask;
  readonly start: Solution;
  readonly known: ReadonlySet<string>;
  readonly repairs: string[];
}

/** @throws Refusal if what the reply edits, or how, is not certain. */
export function readCode(text: string, task: ResolvedTask, start: Solution): CodeEdit {
  const known = new Set(start.map((file) => file.path));
  const context: Context = { task, start, known, repairs: [] };
  if (text.trim() === "") return refuse("The reply is empty.");
  const blocks = labelled(scanBlocks(text, known), context);
  const first = blocks[0];
  if (first === undefined) return refuse("The reply contains no file and no SEARCH/REPLACE change.");

  const contents = new Map<string, Uint8Array | null>();
  for (const path of new Set(blocks.map((block) => block.path))) {
    contents.set(
      path,
      contentOf(
        path,
        blocks.filter((block) => block.path === path).map(({ block }) => block),
        context,
      ),
    );
  }
  return {
    kind: blocks.some(({ block }) => block.kind === "change") ? "blocks" : "file",
    solution: withContents(start, contents),
    repairs: context.repairs,
    start: first.block.start,
    end: blocks.at(-1)?.block.end ?? first.block.end,
  };
}

/** True if no file and no change in `text` is left open. */
export function isComplete(text: string, start: Solution): boolean {
  try {
    scanBlocks(text, new Set(start.map((file) => file.path)));
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

interface Placed {
  readonly path: string;
  readonly block: Block;
}

/** Blocks that edit, each with its path; blocks that only show something are left out. */
function labelled(blocks: readonly Block[], context: Context): Placed[] {
  const placed: (Placed | null)[] = blocks.map((block) => {
    if (block.kind === "delete") return { path: resolve(block.path, context), block };
    note(block.repairs, context);
    if (block.kind === "change") return { path: pathOfChange(block, context), block };
    if (block.label !== null) return { path: resolveLabel(block.label, context), block };
    const commented = labelInComment(block.lines[0] ?? "", context.known);
    if (commented === null) return null;
    const path = resolveLabel(commented, context);
    const before = textOf(path, context)?.lines[0]?.text;
    const lines = before === block.lines[0] ? block.lines : block.lines.slice(1);
    return { path, block: { ...block, lines } };
  });
  const named = placed.filter((entry): entry is Placed => entry !== null);
  const unnamed = blocks.filter(
    (block, index): block is WholeBlock => placed[index] === null && block.kind === "whole",
  );
  if (named.length > 0) {
    const before = blocks.findIndex((_, index) => placed[index] !== null);
    for (const block of unnamed) {
      const quoted = blocks.indexOf(block) < before && isQuoted(block, named, context);
      if (!quoted && !shown.has(block.language))
        return refuse("A fenced block beside the edits does not say which file it is for.");
    }
    if (unnamed.length > 0) note(["extra-block-ignored"], context);
    return named;
  }
  return theOnlyFile(unnamed, context);
}

/** A solution of one file: its new content needs no name, if it is plain which block it is. */
function theOnlyFile(blocks: readonly WholeBlock[], context: Context): Placed[] {
  const file = context.start[0];
  const candidates = blocks.filter((block) => !shown.has(block.language));
  const [block] = candidates;
  if (block === undefined) return [];
  if (file === undefined || context.start.length > 1)
    return refuse("A fenced block does not say which file it is for.");
  if (candidates.length > 1) return refuse("Several fenced blocks do not say which file they are for.");
  const before = textOf(file.path, context)?.lines ?? [];
  const solid = (lines: readonly string[]): number => lines.filter((line) => line.trim() !== "").length;
  if (solid(block.lines) * 2 < solid(before.map((line) => line.text)))
    return refuse(
      `A fenced block does not say which file it is for, and is too short to be all of ${file.path}.`,
    );
  note(["unlabelled-block"], context);
  if (blocks.length > 1) note(["extra-block-ignored"], context);
  return [{ path: resolve(file.path, context), block }];
}

/**
 * Does the block only show a piece of the solution or of the edits? A piece is a run of lines of less than half the
 * text: more could be a file of its own whose name was lost.
 */
function isQuoted(block: WholeBlock, named: readonly Placed[], context: Context): boolean {
  const solid = (lines: readonly string[]): string[] =>
    lines.map((line) => line.trim()).filter((line) => line !== "");
  const texts = [
    ...context.start.map((file) => textOf(file.path, context)?.lines.map((line) => line.text) ?? []),
    ...named.map(({ block: other }) => (other.kind === "whole" ? other.lines : [])),
  ];
  const piece = solid(block.lines);
  return texts.map(solid).some((lines) => piece.length * 2 < lines.length && exactPlaces(lines, piece) > 0);
}

function pathOfChange(block: ChangeBlock, context: Context): string {
  if (block.label !== null) return resolveLabel(block.label, context);
  if (block.search.length === 0) return refuse("A change with an empty SEARCH does not name its file.");
  const places = context.start.flatMap((file) => {
    const lines = textOf(file.path, context)?.lines.map((line) => line.text) ?? [];
    return new Array<string>(exactPlaces(lines, block.search)).fill(file.path);
  });
  const [path] = places;
  if (places.length === 1 && path !== undefined) {
    note(["path-from-search"], context);
    return resolve(path, context);
  }
  const [only] = context.start;
  if (only === undefined || context.start.length > 1)
    return refuse("A change does not name its file, and its SEARCH text does not tell it.");
  note(["unlabelled-block"], context);
  return resolve(only.path, context);
}

function resolveLabel(label: Label, context: Context): string {
  if (label.repair !== null) note([label.repair], context);
  return resolve(label.path, context);
}

function resolve(written: string, context: Context): string {
  const { path, clean } = resolvePath(written, context.task, context.start);
  if (!clean) note(["path-normalised"], context);
  return path;
}

/** New content of a file; null if it is removed. */
function contentOf(path: string, blocks: readonly Block[], context: Context): Uint8Array | null {
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

function textOf(path: string, context: Context): TextFile | null {
  const file = context.start.find((one) => one.path === path);
  return file === undefined ? null : parseTextFile(file.bytes);
}

function note(repairs: readonly string[], context: Context): void {
  for (const repair of repairs) if (!context.repairs.includes(repair)) context.repairs.push(repair);
}

function withContents(start: Solution, contents: ReadonlyMap<string, Uint8Array | null>): Solution {
  const kept = start.filter((file) => !contents.has(file.path));
  const written: SolutionFile[] = [];
  for (const [path, bytes] of contents) {
    const executable = start.find((file) => file.path === path)?.executable ?? false;
    if (bytes !== null) written.push({ path, bytes, executable });
  }
  if (kept.length + written.length === 0) return refuse("The edit would delete every file of the solution.");
  return [...kept, ...written].sort((a, b) => (a.path < b.path ? -1 : 1));
}
