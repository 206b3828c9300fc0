/** Which block of a reply edits which file. */
import { type Context, note, textOf } from "./edit-context.ts";
import { type Label, labelInComment } from "./label.ts";
import { exactPlaces } from "./match.ts";
import { resolvePath } from "./paths.ts";
import { refuse } from "./refusal.ts";
import type { Block, ChangeBlock, WholeBlock } from "./scan.ts";

/** Languages of blocks that show commands or their output beside an edit. */
const shown = new Set(["bash", "sh", "shell", "zsh", "console", "text", "txt", "plaintext", "output", "log"]);

export interface Placed {
  readonly path: string;
  readonly block: Block;
}

/**
 * Blocks that edit, each with its path; blocks that only show something are left out.
 * @throws Refusal if a block edits outside of the solution, or its file is not certain.
 */
export function labelled(blocks: readonly Block[], context: Context): Placed[] {
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
