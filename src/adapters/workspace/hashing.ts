/** SHA-256 of files, remembered as long as a file is untouched. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Entry } from "./entries.ts";

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * A file changed this recently may change again within one tick of the file system's clock without showing it,
 * so its hash is not remembered.
 */
const settledAfterMs = 2_000;

export interface FileHasher {
  hash(entry: Entry): Promise<string>;
}

/** @param now milliseconds since 1970 */
export function createFileHasher(now: () => number = Date.now): FileHasher {
  const known = new Map<string, { readonly stamp: string; readonly hash: string }>();
  return {
    async hash(entry) {
      const remembered = known.get(entry.real);
      if (remembered?.stamp === entry.stamp) return remembered.hash;
      const startedAt = now();
      const hash = await hashFile(entry.real);
      if (startedAt - entry.changedAt > settledAfterMs) known.set(entry.real, { stamp: entry.stamp, hash });
      return hash;
    },
  };
}
