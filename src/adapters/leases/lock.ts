/**
 * One process at a time, by a file that names its holder; of one kind with scripts/setup/lock.mjs, which makes the same
 * environment of the trainer. A holder that died is passed over, also where its process id is another program's by now.
 */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { abortable } from "../../core/abortable.ts";
import { isAlive, thisProcess } from "./holder.ts";

const holderSchema = z.object({ pid: z.int(), started: z.string(), token: z.string() });
type Holder = z.infer<typeof holderSchema>;

const lookAgainMs = 250;

/** @param onWait told once, with the process that holds it */
export async function withLock<T>(
  file: string,
  onWait: (pid: number) => void,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const token = randomBytes(8).toString("hex");
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const holder = take(file, token);
    if (holder === null) break;
    if (!told) onWait(holder.pid);
    told = true;
    await abortable(pause(lookAgainMs), signal);
  }
  try {
    return await work();
  } finally {
    release(file, token);
  }
}

/** @returns who holds it; null: we do */
function take(file: string, token: string): Holder | null {
  // The name appears together with its content, as a link to a complete file: nobody reads half of it.
  const draft = `${file}.draft-${token}`;
  writeFileSync(draft, JSON.stringify({ ...thisProcess(), token }));
  try {
    for (;;) {
      try {
        linkSync(draft, file);
        return null;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
      const holder = holderOf(file);
      if (holder === null) continue; // Given back since.
      if (isAlive(holder)) return holder;
      // Of those who find the holder dead one at a time clears its lock, and only that very lock: another one may
      // have cleared it and taken it anew.
      const clearing = `${file}.${holder.token}`;
      const other = take(clearing, token);
      if (other !== null) return other;
      release(file, holder.token);
      release(clearing, token);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function release(file: string, token: string): void {
  if (holderOf(file)?.token === token) rmSync(file, { force: true });
}

function holderOf(file: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    rmSync(file, { force: true }); // Cut off by a full disk: it never heals by itself.
    return null;
  }
}
