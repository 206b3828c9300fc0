/**
 * Where a runner listens: a socket in a folder of its own that only the user can enter, or a named pipe on
 * Windows. The path is short, because the system allows about 100 bytes, and never guessable beforehand.
 */
import { randomBytes } from "node:crypto";
import { lstatSync, mkdtempSync, rmdirSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

const prefix = "exit-ml-";
/** `sun_path` holds 104 bytes on macOS, 108 on Linux, with a closing zero. */
const longestPath = 103;

/** A path nobody listens on yet. */
export function newEndpoint(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === "win32") return `\\\\.\\pipe\\${prefix}${randomBytes(16).toString("hex")}`;
  let failure: unknown;
  for (const base of [env.XDG_RUNTIME_DIR, tmpdir(), "/tmp"]) {
    if (!base || Buffer.byteLength(join(base, `${prefix}XXXXXX`, "s")) > longestPath) continue;
    try {
      return join(mkdtempSync(join(base, prefix)), "s"); // mkdtemp makes the folder with mode 0700
    } catch (error) {
      failure = error; // a missing or read-only runtime folder is no reason to give up
    }
  }
  throw failure;
}

/** Takes away what `newEndpoint` and listening made. Touches nothing that does not look like it. */
export function removeEndpoint(path: string): void {
  if (process.platform === "win32" || !basename(dirname(path)).startsWith(prefix)) return;
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
    rmdirSync(dirname(path)); // only ever an empty folder
  } catch {
    // Gone already, or not ours: either way nothing is left to do.
  }
}
