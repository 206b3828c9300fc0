// The repository's own packages: `npm ci`, when node_modules is missing, cut off or of another lock file.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { inCache, logFile, waiting, writeAtomically } from "./cache.mjs";
import { withLock } from "./lock.mjs";
import { npm } from "./npm.mjs";
import { repository } from "./repository.mjs";

/**
 * @param {{ progress: (text: string) => void, root?: string }} options
 * @returns {Promise<{ installed: boolean }>}
 */
export async function dependencies({ progress, root = repository }) {
  if (upToDate(root)) return { installed: false };
  const folder = createHash("sha256").update(root).digest("hex").slice(0, 12);
  const lock = inCache("locks", `dependencies-${folder}.lock`);
  return withLock(lock, { onWait: waiting(progress) }, async () => {
    if (upToDate(root)) return { installed: false };
    progress("npm ci (about 20 s)");
    // None of the packages needs its install script: what they would build are optional speed-ups, and no
    // native module may end up in a bundle.
    const what = "Installing the repository's packages";
    const install = () =>
      npm(["ci", "--ignore-scripts"], { cwd: root, log: logFile("dependencies"), limitSeconds: 600, what });
    // Once more: an npm that a killed set-up left behind may just be finishing in the same folder.
    await install().catch(install);
    writeAtomically(stampFile(root), wantedStamp(root));
    return { installed: true };
  });
}

// Inside node_modules, because `npm ci` begins by deleting that folder: a cut-off install has no stamp.
/** @param {string} root */
const stampFile = (root) => path.join(root, "node_modules", ".exit-ml-setup");

/** @param {string} root */
function wantedStamp(root) {
  const lock = fs.readFileSync(path.join(root, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
}

/** @param {string} root @returns {boolean} */
function upToDate(root) {
  const wanted = wantedStamp(root);
  try {
    if (fs.readFileSync(stampFile(root), "utf8") === wanted) return true;
  } catch {
    // No stamp. Somebody may have run npm by hand: see below.
  }
  try {
    const read = (/** @type {string} */ file) => JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));
    if (!sameInstall(read("package-lock.json"), read("node_modules/.package-lock.json"))) return false;
    writeAtomically(stampFile(root), wanted);
    return true;
  } catch {
    return false;
  }
}

/** @typedef {{ packages?: Record<string, { version?: string, integrity?: string, optional?: boolean }> }} LockFile */

/**
 * npm writes a lock file of its own into node_modules as an install's last step. It proves a whole install
 * when it holds every package of the repository's lock file in the same version; optional ones may be
 * missing (binaries of other platforms).
 * @param {LockFile} wanted
 * @param {LockFile} installed
 */
export function sameInstall(wanted, installed) {
  return Object.entries(wanted.packages ?? {}).every(([where, entry]) => {
    if (where === "") return true;
    const found = installed.packages?.[where];
    return found
      ? found.version === entry.version && found.integrity === entry.integrity
      : entry.optional === true;
  });
}
