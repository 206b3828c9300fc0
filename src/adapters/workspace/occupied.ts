/** Paths that are taken: a new file may neither replace one, nor lie below one, nor stand where its folder is. */
import { foldersAbove } from "./patterns.ts";

export function occupiedBy(paths: Iterable<string>): (path: string) => boolean {
  const files = new Set(paths);
  const folders = new Set([...files].flatMap(foldersAbove));
  return (path) =>
    files.has(path) || folders.has(path) || foldersAbove(path).some((folder) => files.has(folder));
}
