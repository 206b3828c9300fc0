/** Every path below a folder, links and special files listed instead of followed or passed over. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Folders that are never looked into, whatever a pattern says. */
export const skippedFolders = [".git", ".exit", "node_modules", ".venv", "__pycache__"] as const;

const skipped: ReadonlySet<string> = new Set(skippedFolders);

export interface WalkOptions {
  /** Where to begin, relative to the root; "" is the root. */
  readonly from: string;
  /** Levels below it. */
  readonly depth: number;
  /** Pass over folders that may not be read, instead of throwing. */
  readonly lenient?: boolean;
}

/** Unsorted paths with `/`, relative to the root; folders themselves are left out. */
export async function walk(root: string, options: WalkOptions): Promise<string[]> {
  const { from, depth, lenient = false } = options;
  const entries = await readdir(join(root, from), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      const isGone = error.code === "ENOENT" || error.code === "ENOTDIR";
      if (isGone || lenient) return [];
      throw error;
    },
  );
  const found: string[] = [];
  for (const entry of entries) {
    if (skipped.has(entry.name)) continue;
    const path = from === "" ? entry.name : `${from}/${entry.name}`;
    if (!entry.isDirectory()) found.push(path);
    else if (depth > 1)
      for (const below of await walk(root, { from: path, depth: depth - 1, lenient })) found.push(below);
  }
  return found;
}
