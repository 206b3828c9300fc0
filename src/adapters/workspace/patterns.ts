/** Paths and globs of a task file, as a test on paths and as the files they stand for. */
import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import picomatch from "picomatch";
import { skippedFolders, walk } from "./walk.ts";

export const taskFileName = "exit.task.json";

/** Ending of files that are being written. */
export const unfinishedSuffix = ".exit-tmp";

export interface Pattern {
  /** As the task file has it. */
  readonly source: string;
  /** The one file it names; null for a glob or a folder. */
  readonly file: string | null;
  matches(path: string): boolean;
  /** Sorted paths below the folder; links are listed, not followed. A missing file is not listed. */
  find(): Promise<readonly string[]>;
}

/** True for paths that belong to no set: task files, unfinished files, files in a skipped folder. */
function isSkipped(path: string): boolean {
  const parts = path.split("/");
  return (
    parts.at(-1) === taskFileName ||
    path.endsWith(unfinishedSuffix) ||
    skippedFolders.some((folder) => parts.includes(folder))
  );
}

/** True for a plain relative path with `/`: not absolute, no `..`, no empty part. */
export function isPlainPath(path: string): boolean {
  return (
    path.length <= 1024 &&
    !/^[a-zA-Z]:/.test(path) &&
    !hasControlOrBackslash(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function hasControlOrBackslash(path: string): boolean {
  return [...path].some((character) => character < " " || character === "\u007f" || character === "\\");
}

/** The folders above a path, nearest last: `a`, `a/b` for `a/b/c`. */
export function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/**
 * Reads a pattern against a folder: what exists there under that very name is meant literally, and a folder
 * means every file below it.
 */
export async function readPattern(folder: string, source: string): Promise<Pattern> {
  const plain = posix.normalize(source).replace(/\/+$/, "");
  const found = await lstat(join(folder, plain)).catch(() => null);
  if (found?.isDirectory() || (source.endsWith("/") && !special.test(plain)))
    return plain === "."
      ? globPattern(folder, source, "**", "")
      : globPattern(folder, source, `${escaped(plain)}/**`, plain);
  if (found || !special.test(plain)) return filePattern(source, plain, found !== null);
  return globPattern(folder, source, plain, fixedStart(plain));
}

/** What makes a path a glob. */
const special = /[*?[\]{}()]/;

/** A glob that matches exactly this path. */
function escaped(path: string): string {
  return path.replace(/[*?[\]{}()!+@|]/g, "\\$&");
}

/** The leading folders of a glob without any special character. */
function fixedStart(glob: string): string {
  const parts = glob.split("/").slice(0, -1);
  const end = parts.findIndex((part) => special.test(part));
  return parts.slice(0, end < 0 ? parts.length : end).join("/");
}

/** Levels below its fixed start in which a glob can match. */
function depthOf(glob: string, start: string): number {
  if (glob.includes("**") || /[{}()]/.test(glob)) return Number.POSITIVE_INFINITY;
  return glob.split("/").length - (start === "" ? 0 : start.split("/").length);
}

function filePattern(source: string, file: string, exists: boolean): Pattern {
  return {
    source,
    file,
    matches: (path) => path === file && !isSkipped(path),
    find: async () => (exists && !isSkipped(file) ? [file] : []),
  };
}

function globPattern(folder: string, source: string, glob: string, start: string): Pattern {
  // `a/**` is also true of `a` itself; only what lies below is meant.
  const isMatch = picomatch(glob.replace(/(^|\/)\*\*$/, "$1**/*"), { dot: true });
  const matches = (path: string): boolean => isMatch(path) && !isSkipped(path);
  return {
    source,
    file: null,
    matches,
    async find() {
      const paths = await walk(folder, { from: start, depth: depthOf(glob, start) });
      return paths.filter(matches).sort();
    },
  };
}
