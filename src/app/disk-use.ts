/** How much a file or folder of ours takes on the disk, and removing it. */
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Removes it, or with `dryRun` leaves it; links are not followed. @returns bytes on the disk */
export async function remove(path: string, dryRun?: "dryRun"): Promise<number> {
  const bytes = await diskUse(path);
  if (dryRun === undefined) await rm(path, { recursive: true, force: true });
  return bytes;
}

async function diskUse(path: string): Promise<number> {
  const info = await lstat(path).catch(() => null);
  if (info === null) return 0;
  // A file that has other names (evaluators get links to staged data) is still there after one of them is gone.
  if (!info.isDirectory()) return info.nlink > 1 ? 0 : (info.blocks ?? 0) * 512;
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await diskUse(join(path, name));
  return bytes;
}
