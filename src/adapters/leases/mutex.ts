/**
 * One process at a time: a lock file that names its holder. A holder that died is passed over, also when its
 * process id has been given away since. For tickets the work is synchronous, so a lock is held for about a millisecond
 * and never while anything is waited for; work that lasts waits its turn in lock.ts.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { isAlive, thisProcess } from "./holder.ts";

const lockSchema = z.object({ pid: z.int(), started: z.string(), token: z.string() });
type Lock = z.infer<typeof lockSchema>;

/** More than enough to get past dead holders; who does not get in then comes back later. */
const attempts = 20;

/** Does the work while nobody else does any under `file`; null if somebody else is at it. */
export function alone<T>(file: string, work: () => T): T | null {
  const taken = take(file);
  if (!("token" in taken)) return null;
  try {
    return work();
  } finally {
    release(file, taken.token);
  }
}

/** Nothing where somebody else has it by now. */
export function release(file: string, token: string): void {
  if (tokenIn(file) === token) rmSync(file, { force: true });
}

/** Removes, of the names beside a lock that is held, what processes left there that died over taking it. */
export function sweep(file: string, names: readonly string[]): void {
  const prefix = `${basename(file)}.`;
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const path = join(dirname(file), name);
    const lock = lockIn(path);
    const pid = /\.draft-(\d+)-/.exec(name)?.[1];
    // A draft may be half-written by a process that lives: its name tells whose it is.
    const owner = typeof lock === "object" ? lock : pid && { pid: Number(pid), started: "" };
    if (!owner || !isAlive(owner)) rmSync(path, { force: true });
  }
}

/** `missing` where there is none; `damaged`: not a lock of ours, or cut off by a power cut. */
function lockIn(file: string): Lock | "missing" | "damaged" {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    return codeOf(error) === "ENOENT" ? "missing" : "damaged";
  }
}

function tokenIn(file: string): string {
  const lock = lockIn(file);
  return typeof lock === "object" ? lock.token : lock;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** @returns the token of the lock taken, or the process that holds it; null: another one is just clearing a dead one's */
export function take(file: string): { readonly token: string } | { readonly heldBy: number | null } {
  const mine: Lock = { ...thisProcess(), token: randomBytes(8).toString("hex") };
  // The name appears together with its content, as a link to a complete file: nobody reads half of it.
  const draft = `${file}.draft-${mine.pid}-${mine.token}`;
  try {
    writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (link(draft, file)) return { token: mine.token };
      const held = lockIn(file);
      if (held === "missing") continue;
      if (held !== "damaged" && isAlive(held)) return { heldBy: held.pid };
      if (!clear(file, held === "damaged" ? held : held.token)) break;
    }
    return { heldBy: null };
  } finally {
    rmSync(draft, { force: true });
  }
}

function link(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Of those who find a holder dead, one at a time may clear its lock, and only that very lock: another one may have
 * cleared it and taken it anew since it was read.
 */
function clear(file: string, dead: string): boolean {
  const cleared = alone(`${file}.${dead}`, () => {
    if (tokenIn(file) === dead) rmSync(file, { force: true });
    return true;
  });
  return cleared === true;
}
