/** A folder to open in the editor, for one test: gone at its end, with the runner that served it. */
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const repository = join(import.meta.dirname, "..", "..");

/** The packed extension. */
export const vsix = join(repository, "dist", "exit-ml.vsix");

/** A copy of an example. To be called before the window is opened: what ends last is asked for first. */
export function copyOfExample(name: string): string {
  const folder = emptyFolder();
  cpSync(join(repository, "examples", name), folder, {
    recursive: true,
    filter: (source) => !source.includes("/.exit"),
  });
  return folder;
}

export function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-folder-")));
  onTestFinished(async () => {
    await runnerGone(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Process id of the runner of a folder; null where none was started. */
export function runnerPid(folder: string): number | null {
  const file = join(folder, ".exit", "runner.json");
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid;
}

/** Tells a runner to end, if one is left, and waits for it. */
async function runnerGone(folder: string): Promise<void> {
  const pid = runnerPid(folder);
  if (pid === null) return;
  try {
    process.kill(pid, "SIGTERM");
    for (;;) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch {
    // It is no more.
  }
}
