/** Which paths a snapshot may hold. */
import { ExitError } from "../../core/errors.ts";
import type { Solution } from "../../core/ports.ts";

/** Characters some file systems drop from names, so that `.g<hidden>it` opens `.git`. */
const dropped = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Other spellings of `.git` that reach the same folder on some file system. */
function isGitFolder(part: string): boolean {
  const plain = part.replace(dropped, "").toLowerCase().split(":")[0] ?? "";
  return [".git", "git~1"].includes(plain.replace(/[. ]+$/, ""));
}

function refused(path: string, why: string): ExitError {
  return new ExitError(
    "path-refused",
    `The solution path ${JSON.stringify(path)} cannot be stored: ${why}. Rename the file or leave it out of solution.files.`,
  );
}

/** @throws ExitError `path-refused`. */
export function checkPaths(solution: Solution): void {
  const seen = new Set<string>();
  for (const { path } of solution) {
    const parts = path.split("/");
    if (parts.some((part) => part === "" || part === "." || part === "..")) {
      throw refused(path, "it is not a plain path relative to the workspace");
    }
    if (path.includes("\0") || Buffer.from(path).toString() !== path) {
      throw refused(path, "it holds characters no file name has");
    }
    if (parts.some(isGitFolder)) throw refused(path, "git keeps `.git` for itself");
    if (seen.has(path)) throw refused(path, "it occurs twice");
    seen.add(path);
  }
  for (const path of seen) {
    for (const folder of foldersOf(path)) {
      if (seen.has(folder)) throw refused(path, `${JSON.stringify(folder)} is a file and a folder at once`);
    }
  }
}

/** `a/b/c` → `a`, `a/b`. */
export function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
