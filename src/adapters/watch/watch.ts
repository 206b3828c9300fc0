/** Tells when files of the workspace change, so that a run can say "the workspace moved on". */
import { relative, sep } from "node:path";
import { watch } from "chokidar";
import { ExitError, messageOf } from "../../core/errors.ts";
import { gathered } from "./gathered.ts";

/** Folders that are ours, git's, or too large to watch for nothing. */
const ignoredFolders: ReadonlySet<string> = new Set([".exit", ".git", "node_modules"]);

/** A burst of changes ends after this silence, and is told after `longestMs` even if it goes on. */
const silenceMs = 100;
const longestMs = 1000;

/**
 * Watches the files of `folder` that `matches` names and calls `onChange` with the paths that were added, changed
 * or removed: relative to `folder`, with `/`, sorted, each once per burst. Links are not followed. Files that are
 * there already are not told. `close` ends it at once; nothing is told afterwards.
 * @param matches asked with relative paths of files
 * @throws ExitError `watch-failed` if the folder cannot be watched.
 */
export async function watchPaths(
  folder: string,
  matches: (path: string) => boolean,
  onChange: (paths: readonly string[]) => void,
): Promise<{ close(): Promise<void> }> {
  const pathOf = (absolute: string): string => relative(folder, absolute).replaceAll(sep, "/");
  const burst = gathered(onChange, silenceMs, longestMs);
  const watcher = watch(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
    // Files nobody asks about cost no watch of their own; a link is no file.
    ignored(absolute, stats) {
      const path = pathOf(absolute);
      if (path.split("/").some((part) => ignoredFolders.has(part))) return true;
      return stats !== undefined && !stats.isDirectory() && !(stats.isFile() && matches(path));
    },
  });
  watcher.on("all", (event, absolute) => {
    const path = pathOf(absolute);
    if (event !== "addDir" && event !== "unlinkDir" && matches(path)) burst.add(path);
  });

  async function close(): Promise<void> {
    burst.drop();
    await watcher.close();
  }

  try {
    await new Promise<void>((resolve, reject) => {
      watcher.once("ready", resolve);
      // Stays for good: a folder that goes away later ends no run.
      watcher.on("error", reject);
    });
  } catch (error) {
    await close();
    throw new ExitError(
      "watch-failed",
      `Changes in ${folder} cannot be watched: ${messageOf(error)}. Edits made while a run lasts will not be announced; on Linux a higher fs.inotify.max_user_watches may help.`,
      { cause: error },
    );
  }
  return { close };
}
