/** Replies to `code` tasks: blocks become new contents of solution files. */
import type { ResolvedTask, Solution, SolutionFile } from "../ports.ts";
import { contentOf } from "./apply.ts";
import { labelled } from "./assign.ts";
import type { Context } from "./edit-context.ts";
import { Refusal, refuse } from "./refusal.ts";
import { scanBlocks } from "./scan.ts";

export interface CodeEdit {
  readonly kind: "file" | "blocks";
  readonly solution: Solution;
  readonly repairs: readonly string[];
  /** Offsets of the blocks in the text that was read. */
  readonly start: number;
  readonly end: number;
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

/** Equal on a file system that does not tell letter case. */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
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

function withContents(start: Solution, contents: ReadonlyMap<string, Uint8Array | null>): Solution {
  const kept = start.filter((file) => !contents.has(file.path));
  const written: SolutionFile[] = [];
  for (const [path, bytes] of contents) {
    const executable = start.find((file) => file.path === path)?.executable ?? false;
    if (bytes !== null) written.push({ path, bytes, executable });
  }
  if (kept.length + written.length === 0) return refuse("The edit would delete every file of the solution.");
  for (const { path } of written) {
    const clash = written.find(
      (other) => other.path !== path && (other.path.startsWith(`${path}/`) || sameName(other.path, path)),
    );
    if (clash !== undefined) return refuse(`${path} and ${clash.path} cannot exist beside each other.`);
  }
  return [...kept, ...written].sort((a, b) => (a.path < b.path ? -1 : 1));
}
