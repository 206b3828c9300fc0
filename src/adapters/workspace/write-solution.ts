/** Puts a solution into the workspace: each file replaced atomically, nothing else touched. */
import { chmod, lstat, mkdir, open, readFile, rename, rm, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { ResolvedTask, Solution, SolutionFile } from "../../core/ports.ts";
import { foldersAbove, unfinishedSuffix } from "./patterns.ts";
import { solutionPaths } from "./solution-files.ts";

/**
 * Everything is checked before the first file is written.
 * @param root real path of the workspace folder
 * @throws ExitError `path-refused`, `write-failed`.
 */
export async function writeSolution(root: string, task: ResolvedTask, solution: Solution): Promise<void> {
  checkPaths(task, solution);
  const wanted = new Set(solution.map(({ path }) => path));
  const stale = (await solutionPaths(root, task)).filter((path) => !wanted.has(path));
  const staleSet = new Set(stale);
  for (const path of [...wanted, ...stale]) await checkWay(root, path, staleSet);
  const inTheWay = stale.filter((path) =>
    solution.some((file) => file.path.startsWith(`${path}/`) || path.startsWith(`${file.path}/`)),
  );
  try {
    for (const path of inTheWay) await remove(root, path);
    for (const file of solution) await writeFile(root, file);
    for (const path of stale) if (!inTheWay.includes(path)) await remove(root, path);
  } catch (error) {
    throw new ExitError(
      "write-failed",
      `The solution of task "${task.id}" could not be written: ${messageOf(error)}. Each file is either old or new; mend the cause and do it again.`,
      { cause: error },
    );
  }
}

function checkPaths(task: ResolvedTask, solution: Solution): void {
  const seen = new Set<string>();
  for (const { path } of solution) {
    if (!task.isSolutionPath(path))
      throw refused(path, `is not a solution path of task "${task.id}", so nothing was written`);
    if (seen.has(path)) throw refused(path, "stands twice in the solution, so nothing was written");
    seen.add(path);
  }
  for (const path of seen)
    for (const folder of foldersAbove(path))
      if (seen.has(folder)) throw refused(folder, `is a file and the folder of ${path} at once`);
}

/** No link on the way to a path, and nothing at it but a regular file. */
async function checkWay(root: string, path: string, stale: ReadonlySet<string>): Promise<void> {
  for (const folder of foldersAbove(path)) {
    const info = await lstat(join(root, folder)).catch(() => null);
    if (info === null) return;
    if (info.isSymbolicLink())
      throw refused(path, `lies behind the link ${folder}; replace the link by a folder`);
    if (!info.isDirectory()) {
      if (stale.has(folder)) return;
      throw refused(path, `cannot be written because ${folder} is not a folder`);
    }
  }
  const info = await lstat(join(root, path)).catch(() => null);
  if (info === null || info.isFile()) return;
  if (info.isSymbolicLink()) throw refused(path, "is a link; replace it by the file itself");
  const holdsOnlyStale = [...stale].some((old) => old.startsWith(`${path}/`));
  if (!info.isDirectory() || !holdsOnlyStale) throw refused(path, "is not a regular file; move it away");
}

function refused(path: string, why: string): ExitError {
  return new ExitError("path-refused", `${path} ${why}.`);
}

async function writeFile(root: string, file: SolutionFile): Promise<void> {
  const target = join(root, file.path);
  const old = await lstat(target).catch(() => null);
  const mode = modeOf(old === null ? 0o644 : old.mode & 0o777, file.executable);
  if (
    old !== null &&
    old.size === file.bytes.length &&
    Buffer.compare(await readFile(target), file.bytes) === 0
  ) {
    if ((old.mode & 0o777) !== mode) await chmod(target, mode);
    return;
  }
  await mkdir(dirname(target), { recursive: true });
  const name = target.slice(dirname(target).length + 1);
  const unfinished = join(dirname(target), `.${name}${unfinishedSuffix}`);
  await rm(unfinished, { force: true });
  try {
    const handle = await open(unfinished, "wx", mode);
    try {
      await handle.writeFile(file.bytes);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Executable for whoever may read it, or for nobody. */
function modeOf(mode: number, executable: boolean): number {
  return executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
}

/** Removes a file and the folders it leaves empty. */
async function remove(root: string, path: string): Promise<void> {
  await unlink(join(root, path));
  for (const folder of foldersAbove(path).reverse()) {
    try {
      await rmdir(join(root, folder));
    } catch {
      return;
    }
  }
}
