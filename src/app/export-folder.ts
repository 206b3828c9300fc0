/** The folder an export is written to: new, empty, or an earlier export, which is replaced as a whole. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ExitError } from "../core/errors.ts";
import { cardMark } from "../core/export/card.ts";
import { exportFormats, filesOf } from "../core/export/format.ts";

/** @throws ExitError `export-folder` if the folder holds anything but an earlier export. */
export async function refuseForeignFolder(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new ExitError(
      "export-folder",
      `${folder} cannot be written as a folder. Name another one with --out.`,
    );
  }
  if (entries.length > 0 && !(await isExport(folder, entries)))
    throw new ExitError(
      "export-folder",
      `${folder} already holds ${entries[0]} and is no earlier export. Name an empty or new folder with --out.`,
    );
}

/** Many a data set is a README.md beside a train.jsonl: ours says in its card what it is. */
async function isExport(folder: string, entries: readonly string[]): Promise<boolean> {
  const found = [...entries].sort().join("\n");
  if (!exportFormats.some((format) => [...filesOf(format)].sort().join("\n") === found)) return false;
  return (await readFile(join(folder, "README.md"), "utf8")).includes(cardMark);
}

/** Writes the folder beside its place and then puts it there, so that it is never seen half written. */
export async function writeFolder(
  folder: string,
  write: (unfinished: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.unfinished-`);
  try {
    await write(unfinished);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}
