// Starting a Docker engine by hand, on a machine that has the program but nothing that starts it (no
// systemd), and stopping exactly that one again.
import { spawn } from "node:child_process";
import fs from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { inCache, logFile, writeAtomically } from "./cache.mjs";
import { ping } from "./engine.mjs";
import { isAlive, startOf } from "./lock.mjs";
import { ask, findProgram, tail } from "./process.mjs";

export const standardHost = "unix:///var/run/docker.sock";

const recordFile = () => inCache("docker-engine.json");

/** @returns {{ pid: number, started: string, token: string } | undefined} the engine a set-up started, if it still runs */
export function startedEngine() {
  try {
    const record = JSON.parse(fs.readFileSync(recordFile(), "utf8"));
    return isAlive(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts dockerd in a process session of its own, where it outlives us, and waits until it answers.
 * @param {(text: string) => void} progress
 * @returns {Promise<number>} its process id
 */
export async function startEngine(progress) {
  const program = findProgram("dockerd");
  if (!program) throw new Error("dockerd is not installed.");
  clearStalePidFiles();
  await mountControlGroups();
  // overlay2 is asked for by name: left to choose, an old engine may fall back on one that copies every
  // image for every container. Where the disk cannot do it, the engine's own choice is better than none.
  const pid =
    (await tryStart(program, ["--storage-driver=overlay2"], progress)) ??
    (await tryStart(program, [], progress));
  if (pid === undefined) {
    throw new Error(
      `The Docker engine did not start. Its log, ${logFile("dockerd")}, ends with:\n${tail(logFile("dockerd"))}`,
    );
  }
  return pid;
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {(text: string) => void} progress
 * @returns {Promise<number | undefined>} undefined when it ended, or stayed silent for a minute
 */
async function tryStart(program, args, progress) {
  progress("starting the engine");
  const log = fs.openSync(logFile("dockerd"), "a");
  const child = spawn(program, args, {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
    env: engineEnvironment(),
  });
  fs.closeSync(log);
  child.unref();
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.once("error", () => {
    ended = true;
  });
  const { pid } = child;
  if (pid === undefined) return undefined;
  writeAtomically(recordFile(), JSON.stringify({ pid, started: startOf(pid) ?? "", token: "engine" }));
  for (const until = Date.now() + 60_000; Date.now() < until && !ended; ) {
    if ((await ping(standardHost, 2)) === "answers") return pid;
    await pause(200);
  }
  if (!ended) await stopEngine();
  return undefined;
}

/** The engine lives long: nothing of this run's own settings should stay in it. */
function engineEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(HOME|LANG|TMPDIR|(https?|no)_proxy|SSL_CERT_.*)$/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
}

/** Where no init system mounted them, the package's own script does; without them no container starts. */
async function mountControlGroups() {
  if (/^\S+ \/sys\/fs\/cgroup\S* cgroup/m.test(fs.readFileSync("/proc/mounts", "utf8"))) return;
  const program = findProgram("cgroupfs-mount");
  if (program) await ask(program, []);
}

/**
 * After a crash or a restart of the machine, pid files are left that may name a process of somebody
 * else by now; the engine then refuses to start, taking it for a running copy of itself.
 */
function clearStalePidFiles() {
  const files = { dockerd: "/var/run/docker.pid", containerd: "/var/run/docker/containerd/containerd.pid" };
  for (const [name, file] of Object.entries(files)) {
    try {
      const pid = Number(fs.readFileSync(file, "utf8"));
      if (programOf(pid) !== name) fs.rmSync(file);
    } catch {
      // No such file: nothing to clear.
    }
  }
}

/** @param {number} pid */
function programOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Stops the engine that a set-up started, and no other. @returns {Promise<boolean>} was there one? */
export async function stopEngine() {
  const engine = startedEngine();
  if (!engine) return false;
  process.kill(engine.pid, "SIGTERM");
  for (const until = Date.now() + 20_000; Date.now() < until; ) {
    if (!isAlive(engine)) break;
    await pause(100);
  }
  fs.rmSync(recordFile(), { force: true });
  return true;
}
