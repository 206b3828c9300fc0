/** The runner's log: lines with a time, in a file that never grows without bound. */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

export type Log = (line: string) => void;

/**
 * Appends to `file`; past `maxBytes` the file becomes `file.1` and a new one begins. A log that cannot be
 * written (disk full, folder removed) is lost in silence: it must never end a run.
 */
export function openLog(file: string, maxBytes = 1_000_000): Log {
  return (line) => {
    try {
      // Not its parents: a workspace that was deleted must not come back for a last line.
      if (!existsSync(dirname(file))) mkdirSync(dirname(file));
      if (sizeOf(file) > maxBytes) renameSync(file, `${file}.1`);
      appendFileSync(file, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
    } catch {
      // See above.
    }
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
