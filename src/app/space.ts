/** Space is looked at before each stage: a run that pauses in time loses nothing, a full disk is met half-way. */
import { statfs } from "node:fs/promises";
import { ExitError } from "../core/errors.ts";
import type { FreeBytes } from "../core/ports.ts";

const mebibyte = 2 ** 20;

/**
 * What must be free where a workspace's state lies. A group of 64 long replies with their log-probabilities takes
 * some 30 MB, twice over while the history's log is folded in; the rest is for the outputs of trials, which are
 * collected before they are judged (256 MB each by default).
 */
const stateNeeds = 512 * mebibyte;
/**
 * What must be free where the engine keeps its data. Working directories are in memory up to 1 GiB, root file
 * systems read-only, logs bounded: what is left are volumes on disk, and the engine's own need to breathe.
 */
const engineNeeds = 512 * mebibyte;

export const freeBytes: FreeBytes = async (folder) => {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // Not of this machine, or not for this user to see.
    return null;
  }
};

/** Needs of the folders of a workspace and of the engine's, if that is on this machine. */
export async function checkSpace(
  folders: { readonly state: readonly string[]; readonly engine: string | null },
  free: FreeBytes,
): Promise<void> {
  for (const folder of folders.state)
    await checkFolder(folder, "the history and the outputs of trials", stateNeeds, free);
  if (folders.engine !== null) await checkFolder(folders.engine, "the container engine", engineNeeds, free);
}

/** @param needs bytes @throws ExitError `disk-low`. */
export async function checkFolder(
  folder: string,
  whose: string,
  needs: number,
  free: FreeBytes,
): Promise<void> {
  const left = await free(folder);
  if (left === null || left >= needs) return;
  throw new ExitError(
    "disk-low",
    `Only ${Math.floor(left / mebibyte)} MiB are free in ${folder}, where ${whose} need ${Math.ceil(needs / mebibyte)} MiB. ` +
      'Free some space ("exit-ml clean" removes what nothing needs), then repeat the command: nothing was lost.',
  );
}
