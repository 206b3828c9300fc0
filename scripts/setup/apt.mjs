// Debian packages, where this process may install them: root on Debian or a relative of it.
import fs from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { inCache, logFile } from "./cache.mjs";
import { withLock } from "./lock.mjs";
import { findProgram, runLogged } from "./process.mjs";

export const isRoot = () => process.getuid?.() === 0;

export const canInstallPackages = () => isRoot() && findProgram("apt-get") !== undefined;

/** @param {string[]} packages @returns {string} the command a person types for the same */
export const installCommand = (...packages) => `sudo apt-get install ${packages.join(" ")}`;

/**
 * @param {string[]} packages
 * @param {string} what
 * @param {{ recommended?: boolean }} [options] an engine needs what its package recommends (AppArmor's tools,
 *   control groups), pip does not (a compiler)
 */
export async function installPackages(packages, what, { recommended = true } = {}) {
  const log = logFile("apt");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Another apt of the machine's own (unattended upgrades) is waited for, not fought.
  const calm = ["-o", "DPkg::Lock::Timeout=180", "-o", "Acquire::Retries=3"];
  /** @param {string[]} args @param {number} limitSeconds */
  const apt = (args, limitSeconds) =>
    // Ended in the middle, dpkg leaves the machine's packages half-configured: rather let it finish.
    runLogged("apt-get", [...calm, ...args], { log, limitSeconds, what, env, outlivesUs: true });
  // Two parts of one set-up install packages: apt itself would refuse the second one's update.
  await withLock(inCache("locks", "apt.lock"), {}, async () => {
    // A package step that was cut off before: dpkg wants this first, and it costs nothing when all is well.
    if (interruptedBefore()) {
      await runLogged("dpkg", ["--configure", "-a"], { log, limitSeconds: 300, what, env, outlivesUs: true });
    }
    // An update that runs already makes ours fail at once, and so does a mirror that is just being renewed.
    await apt(["update"], 180).catch(() => pause(10_000).then(() => apt(["update"], 180)));
    await apt(["install", "-y", ...(recommended ? [] : ["--no-install-recommends"]), ...packages], 600);
  });
}

/** dpkg keeps numbered journal files here while it works; they stay when it is killed. */
function interruptedBefore() {
  try {
    return fs.readdirSync("/var/lib/dpkg/updates").some((name) => /^\d+$/.test(name));
  } catch {
    return false;
  }
}
