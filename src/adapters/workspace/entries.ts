/** What lies at a path of the workspace, with links seen through. */
import { lstat, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

export interface Entry {
  readonly path: string;
  readonly kind: "file" | "folder" | "special" | "missing";
  /** Does a link stand on the way, and where does it end? */
  readonly link: "none" | "inside" | "outside" | "dangling";
  /** Absolute path of the file itself. */
  readonly real: string;
  /** Equal for two names of one file. */
  readonly identity: string;
  /** Bytes. */
  readonly size: number;
  /** Changes with the content. */
  readonly stamp: string;
  /** Milliseconds since 1970 of the last change. */
  readonly changedAt: number;
  readonly mode: number;
}

/** @param root the real path of the workspace folder */
export async function entryAt(root: string, path: string): Promise<Entry> {
  const whole = join(root, path);
  const nothing: Entry = {
    path,
    kind: "missing",
    link: "none",
    real: whole,
    identity: "",
    size: 0,
    stamp: "",
    changedAt: 0,
    mode: 0,
  };
  const own = await lstat(whole).catch(absent);
  if (own === null) return nothing;
  const real = await realpath(whole).catch(absent);
  if (real === null) return { ...nothing, link: "dangling" };
  const info = await stat(real, { bigint: true });
  return {
    path,
    kind: info.isFile() ? "file" : info.isDirectory() ? "folder" : "special",
    link: real === whole ? "none" : isInside(root, real) ? "inside" : "outside",
    real,
    identity: `${info.dev}:${info.ino}`,
    size: Number(info.size),
    stamp: `${info.dev}:${info.ino}:${info.size}:${info.mtimeNs}:${info.ctimeNs}`,
    changedAt: Math.max(Number(info.mtimeMs), Number(info.ctimeMs)),
    mode: Number(info.mode),
  };
}

/** Absent or not reachable; anything else is thrown. */
function absent(error: NodeJS.ErrnoException): null {
  if (["ENOENT", "ENOTDIR", "ELOOP", "EINVAL"].includes(error.code ?? "")) return null;
  throw error;
}

function isInside(root: string, real: string): boolean {
  const way = relative(root, real);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !/^[a-zA-Z]:/.test(way));
}

/** Maps with at most `limit` calls under way, keeping the order. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  each: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await each(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
