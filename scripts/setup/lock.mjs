// A lock between processes: a file that names its holder. A holder that died is told from one that
// lives, also when its process id has been given to another program since.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** @typedef {{ pid: number, started: string, token: string }} Holder */

/** Lock files this process holds: given back when a signal ends it. @type {Set<string>} */
const held = new Set();

/**
 * What tells this incarnation of a process id from a later one: the moment it started.
 * @param {number} pid
 * @returns {string | undefined} undefined: no such process. "": alive, but this system does not say since when
 */
export function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM means that it lives and belongs to somebody else.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EPERM") return undefined;
  }
  try {
    if (process.platform === "linux") {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
      // The program's name (field 2) may hold spaces and brackets: count from its closing bracket.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z" || fields[0] === "X") return undefined;
      const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return `${boot}:${fields[19]}`;
    }
    if (process.platform !== "win32") {
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    }
  } catch {
    // Neither way worked: fall back on the process id alone.
  }
  return "";
}

/** @param {Holder} holder */
export function isAlive(holder) {
  const started = startOf(holder.pid);
  if (started === undefined) return false;
  return started === "" || holder.started === "" || started === holder.started;
}

/** @param {string} file @returns {Holder | undefined} */
function readHolder(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * One attempt.
 * @param {string} file
 * @returns {{ release: () => void } | { heldBy: number }}
 */
export function tryLock(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const token = randomBytes(8).toString("hex");
  const mine = { pid: process.pid, started: startOf(process.pid) ?? "", token };
  // The name appears together with its content (a link to a complete file): nobody reads it half-written.
  const draft = `${file}.draft-${token}`;
  fs.writeFileSync(draft, JSON.stringify(mine));
  try {
    for (let attempt = 0; attempt < 50; attempt++) {
      try {
        fs.linkSync(draft, file);
        held.add(file);
        return { release: () => release(file, token) };
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
      }
      const holder = readHolder(file);
      if (!holder) {
        // Gone since, or not a lock file of ours (cut off by a full disk): the latter never heals by itself.
        if (fs.existsSync(file) && !readHolder(file)) fs.rmSync(file, { force: true });
        continue;
      }
      if (isAlive(holder)) return { heldBy: holder.pid };
      // Of those who find the holder dead, one at a time may clear its lock, and only that very lock: another
      // one may have cleared it and taken it anew since we looked.
      const clearing = tryLock(`${file}.${holder.token}`);
      if ("heldBy" in clearing) return clearing;
      try {
        if (readHolder(file)?.token === holder.token) fs.rmSync(file, { force: true });
      } finally {
        clearing.release();
      }
    }
    return { heldBy: 0 };
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** @param {string} file @param {string} token */
function release(file, token) {
  held.delete(file);
  if (readHolder(file)?.token === token) fs.rmSync(file, { force: true });
}

/** For a process that ends at once: gives back all it holds. */
export function releaseAll() {
  for (const file of held) {
    if (readHolder(file)?.pid === process.pid) fs.rmSync(file, { force: true });
  }
  held.clear();
}

/**
 * Runs `work` while holding the lock.
 * @template T
 * @param {string} file
 * @param {{ onWait?: (pid: number) => void, limitSeconds?: number, everyMs?: number }} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, { onWait, limitSeconds = 1800, everyMs = 250 }, work) {
  const until = Date.now() + limitSeconds * 1000;
  let told = false;
  for (;;) {
    const lock = tryLock(file);
    if ("release" in lock) {
      try {
        return await work();
      } finally {
        lock.release();
      }
    }
    if (!told) onWait?.(lock.heldBy);
    told = true;
    if (Date.now() > until) {
      throw new Error(
        `Another set-up (process ${lock.heldBy}) has held ${path.basename(file)} for ${limitSeconds} s. ` +
          `End it, or delete ${file}, and try again.`,
      );
    }
    await pause(everyMs);
  }
}
