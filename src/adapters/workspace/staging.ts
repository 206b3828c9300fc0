/**
 * Data for sandboxes, copied once per content: `<staging folder>/<digest>/<workspace path>`. A copy is made
 * under another name and renamed when it is whole and proven, so a kill never leaves half of one.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { StagedData } from "../../core/ports.ts";
import { type Entry, mapLimited } from "./entries.ts";
import { createFileHasher, hashFile, hashText } from "./hashing.ts";
import { foldersAbove } from "./patterns.ts";

const atOnce = 8;
const unfinished = /^\.staging-(\d+)-[0-9a-f]+$/;

export interface Staging {
  /** @param entries regular files, sorted by path. @throws ExitError `staging-failed`. */
  stage(entries: readonly Entry[]): Promise<StagedData>;
}

export function createStaging(stagingFolder: string): Staging {
  const hasher = createFileHasher();
  const proven = new Set<string>();
  let swept: Promise<void> | null = null;

  async function copy(entries: readonly Entry[], hashes: readonly string[], to: string): Promise<void> {
    const folders = new Set(entries.flatMap((entry) => foldersAbove(entry.path)));
    for (const folder of ["", ...[...folders].sort()]) {
      await mkdir(join(to, folder), { recursive: true });
      await chmod(join(to, folder), 0o755);
    }
    await mapLimited(entries, atOnce, async (entry, index) => {
      const target = join(to, entry.path);
      await copyFile(entry.real, target, constants.COPYFILE_FICLONE);
      await chmod(target, 0o644);
      if ((await hashFile(target)) !== hashes[index])
        throw new ExitError(
          "staging-failed",
          `${entry.path} changed while it was copied for the sandbox. Wait until nothing writes to it, then try again.`,
        );
    });
  }

  async function stageOnce(entries: readonly Entry[]): Promise<StagedData> {
    const hashes = await mapLimited(entries, atOnce, (entry) => hasher.hash(entry));
    const digest = hashText(entries.map((entry, index) => `${hashes[index]} ${entry.path}\n`).join(""));
    const folder = join(stagingFolder, digest);
    const data = { digest, folder, files: entries.map((entry) => entry.path) };
    if (await isWhole(folder, entries, proven.has(digest))) {
      proven.add(digest);
      return data;
    }
    const temporary = join(stagingFolder, `.staging-${process.pid}-${randomBytes(8).toString("hex")}`);
    try {
      await copy(entries, hashes, temporary);
      await putInPlace(temporary, folder, entries);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    proven.add(digest);
    return data;
  }

  return {
    async stage(entries) {
      try {
        await mkdir(stagingFolder, { recursive: true });
        swept ??= sweep(stagingFolder);
        await swept;
        return await stageOnce(entries);
      } catch (error) {
        if (error instanceof ExitError) throw error;
        throw new ExitError(
          "staging-failed",
          `The data for the sandbox could not be copied to ${stagingFolder}: ${messageOf(error)}. Check free space and permissions, then try again.`,
          { cause: error },
        );
      }
    },
  };
}

/** A power cut can leave short files behind the rename, so sizes are compared once per process. */
async function isWhole(folder: string, entries: readonly Entry[], isProven: boolean): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  if (!found?.isDirectory()) return false;
  if (isProven) return true;
  const sizes = await mapLimited(entries, atOnce, (entry) =>
    stat(join(folder, entry.path)).then(
      (info) => info.size,
      () => -1,
    ),
  );
  return sizes.every((size, index) => size === entries[index]?.size);
}

async function putInPlace(temporary: string, folder: string, entries: readonly Entry[]): Promise<void> {
  try {
    await rename(temporary, folder);
  } catch (error) {
    // Somebody else staged the same content meanwhile, or a broken copy stands there.
    if (await isWhole(folder, entries, false)) return;
    const found = await lstat(folder).catch(() => null);
    if (!found) throw error;
    const broken = `${temporary}-broken`;
    await rename(folder, broken);
    await rename(temporary, folder);
    await rm(broken, { recursive: true, force: true });
  }
}

/** Removes what killed processes left unfinished. */
async function sweep(stagingFolder: string): Promise<void> {
  for (const name of await readdir(stagingFolder)) {
    const pid = unfinished.exec(name.replace(/-broken$/, ""))?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(stagingFolder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
