/** Folders on this machine: one for the outputs of a trial, one for what its evaluator sees. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, link, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Outputs, ResolvedTask } from "../../core/ports.ts";
import { canaryFile } from "./canary.ts";
import type { Collected } from "./collect.ts";
import { codeOf } from "./failure.ts";
import { foldersAbove } from "./mounts.ts";

const trials = ".trials";

/** Where the outputs of a trial lie, named after its key. */
export function outputFolder(outputsFolder: string, key: string): string {
  const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/.test(key);
  return join(outputsFolder, plain ? key : createHash("sha256").update(key).digest("hex"));
}

/** A fresh folder for the outputs of a trial. */
export async function openOutputFolder(outputsFolder: string, key: string): Promise<string> {
  const folder = outputFolder(outputsFolder, key);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/** Is the folder there, with every one of these files as it was collected? */
export async function holdsStill(folder: string, files: readonly Collected[]): Promise<boolean> {
  try {
    if (!(await stat(folder)).isDirectory()) return false;
    for (const { path, sha256 } of files) {
      const hash = createHash("sha256");
      await pipeline(createReadStream(join(folder, path)), hash);
      if (hash.digest("hex") !== sha256) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Removes what evaluations left behind. */
export function removeTrialFolders(outputsFolder: string): Promise<void> {
  return rm(join(outputsFolder, trials), { recursive: true, force: true });
}

/** An empty folder for one evaluator, used by no other. */
export async function openTrialFolder(outputsFolder: string): Promise<string> {
  const folder = join(outputsFolder, trials, randomUUID());
  await openFolder(folder);
  return folder;
}

async function openFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Readable by the evaluator's user, whatever the umask.
  await chmod(folder, 0o755);
}

/**
 * Makes `folder` the working directory of an evaluator: hidden files, inputs and outputs at their paths, as links
 * to the files themselves where the file system allows, for it is mounted read-only; and the canary beside them.
 */
export async function fillTrialFolder(
  folder: string,
  task: ResolvedTask,
  outputs: Outputs,
  canary: string,
): Promise<void> {
  await writeFile(join(folder, canaryFile), canary);
  await chmod(join(folder, canaryFile), 0o644);
  const made = new Set<string>();
  for (const { folder: from, files } of [task.hidden, task.inputs, outputs])
    for (const path of files) {
      for (const above of foldersAbove(path))
        if (!made.has(above)) {
          await openFolder(join(folder, above));
          made.add(above);
        }
      await place(join(from, path), join(folder, path));
    }
}

async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // Another file system, or one without links.
    if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "ENOSYS"].includes(codeOf(error) ?? "")) throw error;
    await copyFile(from, to);
    await chmod(to, 0o644);
  }
}
