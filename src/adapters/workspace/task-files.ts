/** The task files of a workspace. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { entryAt, mapLimited } from "./entries.ts";
import { taskFileName } from "./patterns.ts";
import { parseTaskText, type TaskText } from "./task-text.ts";
import { walk } from "./walk.ts";

export interface TaskFiles {
  /** Every task file that could be read, well or badly written, sorted by path. */
  readonly tasks: readonly TaskText[];
  /** Sentences about those that could not be read. */
  readonly unreadable: readonly string[];
}

/** @param root real path of the workspace folder */
export async function readTaskFiles(root: string): Promise<TaskFiles> {
  const below = await walk(root, { from: "", depth: Number.POSITIVE_INFINITY, lenient: true });
  const paths = below.filter((path) => path.split("/").at(-1) === taskFileName);
  const unreadable: string[] = [];
  const read = await mapLimited(paths.sort(), 16, async (path) => {
    const entry = await entryAt(root, path);
    if (entry.link !== "none" || entry.kind !== "file") {
      unreadable.push(`${path}: is a link or not a regular file; put the task file itself there.`);
      return null;
    }
    try {
      return parseTaskText(path, await readFile(join(root, path), "utf8"));
    } catch (error) {
      unreadable.push(`${path}: cannot be read (${messageOf(error)}); check its permissions.`);
      return null;
    }
  });
  return { tasks: read.filter((task) => task !== null), unreadable };
}
