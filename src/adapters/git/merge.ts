/** Three-way merge of solutions, file by file; lines are merged by `git merge-file`. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Solution, SolutionFile } from "../../core/ports.ts";
import type { Git } from "./git.ts";
import { byPath, foldersOf } from "./paths.ts";

export interface Merge {
  readonly merged: Solution;
  readonly conflicts: readonly string[];
}

type Side = SolutionFile | undefined;

/**
 * Changes from `base` to `theirs` brought into `ours`. A file that needs a hand (both sides changed the same
 * lines, or bytes that are no text; one changed what the other deleted; one's file is the other's folder) is
 * named in `conflicts` and stays as it is in `ours`.
 * @param temporary folder for short-lived files
 */
export async function mergeSolutions(
  git: Git,
  temporary: string,
  sides: { readonly base: Solution; readonly ours: Solution; readonly theirs: Solution },
): Promise<Merge> {
  const base = indexed(sides.base);
  const ours = indexed(sides.ours);
  const theirs = indexed(sides.theirs);
  const merged = new Map<string, SolutionFile>();
  const conflicts = new Set<string>();

  for (const path of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const result = await mergeFile(git, temporary, base.get(path), ours.get(path), theirs.get(path));
    if (result === "conflict") conflicts.add(path);
    const file = result === "conflict" ? ours.get(path) : result;
    if (file) merged.set(path, file);
  }
  for (const path of [...merged.keys()]) {
    for (const folder of foldersOf(path).filter((name) => merged.has(name))) {
      for (const clashing of [path, folder]) {
        conflicts.add(clashing);
        if (!ours.has(clashing)) merged.delete(clashing);
      }
    }
  }
  return { merged: [...merged.values()].sort(byPath), conflicts: [...conflicts].sort() };
}

async function mergeFile(
  git: Git,
  temporary: string,
  base: Side,
  ours: Side,
  theirs: Side,
): Promise<Side | "conflict"> {
  if (same(ours, theirs) || same(base, theirs)) return ours;
  if (same(base, ours)) return theirs;
  if (!base || !ours || !theirs) return "conflict";
  const bytes = await mergeBytes(git, temporary, base.bytes, ours.bytes, theirs.bytes);
  if (bytes === null) return "conflict";
  const executable = ours.executable === base.executable ? theirs.executable : ours.executable;
  return { path: ours.path, bytes, executable };
}

/** Null if it takes a hand. */
async function mergeBytes(
  git: Git,
  temporary: string,
  base: Uint8Array,
  ours: Uint8Array,
  theirs: Uint8Array,
): Promise<Uint8Array | null> {
  if (equal(ours, theirs) || equal(base, theirs)) return ours;
  if (equal(base, ours)) return theirs;
  if ([base, ours, theirs].some((bytes) => bytes.includes(0))) return null;
  const folder = await mkdtemp(join(temporary, "merge-"));
  try {
    await writeFile(join(folder, "base"), base);
    await writeFile(join(folder, "ours"), ours);
    await writeFile(join(folder, "theirs"), theirs);
    // The result replaces `ours`, not standard output, which would be decoded as text. Exit code: conflicts.
    const { exitCode } = await git.run(["merge-file", "-q", "ours", "base", "theirs"], {
      cwd: folder,
      accept: (code) => code > 0 && code < 128,
    });
    return exitCode === 0 ? new Uint8Array(await readFile(join(folder, "ours"))) : null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function indexed(solution: Solution): Map<string, SolutionFile> {
  return new Map(solution.map((file) => [file.path, file]));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function same(a: Side, b: Side): boolean {
  if (!a || !b) return a === b;
  return a.executable === b.executable && equal(a.bytes, b.bytes);
}
