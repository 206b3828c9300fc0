// The one folder outside the repository that holds every part the set-up brings.
//
//   <cache>/<part>/            what was installed
//   <cache>/stamps/<part>.json which version of it is there, written last
//   <cache>/locks/<part>.lock  who is installing it right now
//   <cache>/logs/<part>.log    what apt, npm, pip and friends said
//   <cache>/tmp/<part>-…/      work in progress, moved into place as a whole
//
// An install that was cut off leaves no stamp, so the next set-up does it again.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { withLock } from "./lock.mjs";

/**
 * @param {Record<string, string | undefined>} [env]
 * @returns {string} absolute path of the cache folder (it may not exist yet)
 */
export function cacheFolder(env = process.env) {
  return path.resolve(env.EXIT_ML_CACHE || path.join(os.homedir(), ".cache", "exit-ml"));
}

/** @param {string[]} parts */
export function inCache(...parts) {
  return path.join(cacheFolder(), ...parts);
}

/** Says in a sentence when the cache cannot be used, rather than in every part's own words. */
export function prepareCache() {
  const folder = cacheFolder();
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new Error(
      `The cache folder ${folder} cannot be written to (${why}). Set EXIT_ML_CACHE to a folder that can.`,
    );
  }
}

/** @param {string} part @returns {string} the log file of a part; its folder exists on return */
export function logFile(part) {
  const file = inCache("logs", `${part}.log`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return file;
}

/**
 * Writes a file so that a reader sees the old content or the new one, never half of either, even
 * when the machine stops in between.
 * @param {string} file
 * @param {string} text
 */
export function writeAtomically(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = fs.openSync(fresh, "w");
  try {
    fs.writeSync(handle, text);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(fresh, file);
}

/** @param {string} part */
const stampFile = (part) => inCache("stamps", `${part}.json`);

/**
 * @param {string} part
 * @returns {Record<string, any> | undefined} what the stamp says; undefined when absent or unreadable
 */
export function readStamp(part) {
  try {
    return JSON.parse(fs.readFileSync(stampFile(part), "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {string} part @param {{ version: string } & Record<string, unknown>} stamp */
export function writeStamp(part, stamp) {
  writeAtomically(stampFile(part), `${JSON.stringify(stamp, null, 2)}\n`);
}

/** @param {string} part */
export function removeStamp(part) {
  fs.rmSync(stampFile(part), { force: true });
}

/**
 * A fresh folder to build a part in. Its name carries our process id, so that sweepWorkFolders can
 * tell an abandoned one from one in use.
 * @param {string} part
 */
function workFolder(part) {
  const folder = inCache("tmp", `${part}-${process.pid}-${randomBytes(4).toString("hex")}`);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Deletes what killed set-ups of this part left behind. Called while holding the part's lock: then
 * nobody else works on it. A leftover child of a killed set-up may still be writing; what cannot be
 * deleted now goes with the next sweep.
 * @param {string} part
 */
function sweepWorkFolders(part) {
  for (const name of listFolder(inCache("tmp"))) {
    if (new RegExp(`^${part}-\\d+-[0-9a-f]{8}$`).test(name)) removeFolder(inCache("tmp", name));
  }
}

/** @param {string} folder */
export function removeFolder(folder) {
  try {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Still in use by a leftover child: the next sweep takes it.
  }
}

/** @param {string} folder */
function listFolder(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Puts a finished work folder in the place of the part's old one.
 * @param {string} work
 * @param {string} target
 */
export function moveIntoPlace(work, target) {
  if (fs.existsSync(target)) {
    const old = `${work}-old`;
    fs.renameSync(target, old);
    fs.renameSync(work, target);
    removeFolder(old);
  } else {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(work, target);
  }
}

/**
 * Installs a part unless the stamp says that this version of it is there.
 * @param {object} recipe
 * @param {string} recipe.part
 * @param {string} recipe.version changes whenever an old install must be replaced
 * @param {() => boolean} recipe.present is what the stamp promises still on disk? (a cheap look)
 * @param {(work: string) => Promise<Record<string, unknown> | undefined>} recipe.install builds in `work` and moves
 *   the result into place; what it returns is kept in the stamp
 * @param {(text: string) => void} recipe.progress
 * @returns {Promise<{ fresh: boolean, stamp: Record<string, any> }>} fresh: installed by this call
 */
export async function installOnce({ part, version, present, install, progress }) {
  const isThere = () => {
    const stamp = readStamp(part);
    return stamp?.version === version && present() ? stamp : undefined;
  };
  const known = isThere();
  if (known) return { fresh: false, stamp: known };
  return withLock(inCache("locks", `${part}.lock`), { onWait: waiting(progress) }, async () => {
    const meanwhile = isThere();
    if (meanwhile) return { fresh: false, stamp: meanwhile };
    removeStamp(part);
    sweepWorkFolders(part);
    const work = workFolder(part);
    try {
      const details = await install(work);
      const stamp = { version, ...details };
      writeStamp(part, stamp);
      return { fresh: true, stamp };
    } finally {
      removeFolder(work);
    }
  });
}

/** @param {(text: string) => void} progress @returns {(pid: number) => void} */
export const waiting = (progress) => (pid) => progress(`waiting for another set-up (process ${pid})`);
