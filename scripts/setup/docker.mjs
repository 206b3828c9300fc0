// Finds a container engine that answers, whoever runs it; brings one only where there is none and this
// process may.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { canInstallPackages, installCommand, installPackages, isRoot } from "./apt.mjs";
import { inCache, logFile, waiting } from "./cache.mjs";
import { standardHost, startEngine, stopEngine } from "./docker-engine.mjs";
import { ping } from "./engine.mjs";
import { withLock } from "./lock.mjs";
import { ask, findProgram, isMain, runLogged } from "./process.mjs";

// Without iptables the engine does not start; the Debian package only recommends it.
const packages = ["docker.io", "iptables"];

/**
 * Where an engine may listen, best guess first.
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [home]
 */
export function knownSockets(env = process.env, home = os.homedir()) {
  if (process.platform === "win32") return ["npipe:////./pipe/docker_engine"];
  const run = env.XDG_RUNTIME_DIR;
  return [
    "/var/run/docker.sock",
    path.join(home, ".docker/run/docker.sock"), // Docker Desktop on macOS
    path.join(home, ".docker/desktop/docker.sock"), // Docker Desktop on Linux
    run && path.join(run, "docker.sock"), // rootless Docker
    path.join(home, ".orbstack/run/docker.sock"),
    path.join(home, ".colima/default/docker.sock"),
    path.join(home, ".rd/docker.sock"), // Rancher Desktop
    run && path.join(run, "podman/podman.sock"),
    "/run/podman/podman.sock",
  ]
    .filter((socket) => socket !== undefined && socket !== "")
    .map((socket) => `unix://${socket}`);
}

/**
 * @returns {Promise<{ host: string } | { reason: string, remedy?: string, startable?: boolean }>} an engine that
 *   answers, or the sentence that says why none does. startable: nothing speaks against starting one
 */
export async function findEngine() {
  const chosen = process.env.DOCKER_HOST;
  if (chosen) {
    const state = await ping(chosen);
    if (state === "answers") return { host: chosen };
    if (state === "unsupported")
      return { reason: `DOCKER_HOST is ${chosen}, a kind that is not supported here.` };
    // Set by the user: to go elsewhere would be to know better.
    return { reason: `DOCKER_HOST is ${chosen}, but no engine answers there.`, remedy: "unset DOCKER_HOST" };
  }
  const docker = findProgram("docker");
  const context =
    docker && (await ask(docker, ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]));
  const hosts = new Set([...(context ? [context] : []), ...knownSockets()]);
  let denied;
  for (const host of hosts) {
    if (host.startsWith("unix://") && !fs.existsSync(host.slice("unix://".length))) continue;
    const state = await ping(host);
    if (state === "answers") return { host };
    if (state === "denied") denied ??= host;
  }
  if (denied) {
    return {
      reason: `Docker is there (${denied}), but this user may not use it.`,
      remedy: `sudo usermod -aG docker ${os.userInfo().username}   # then log in again`,
    };
  }
  return { reason: "No container engine answers.", startable: true };
}

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ host: string, environment: Record<string, string>, started?: number }>} environment: what a
 *   program must be given to find this engine
 */
export async function docker({ progress }) {
  const found = await findEngine();
  if ("host" in found) return describe(found.host);
  if (!found.startable || process.platform !== "linux" || !isRoot()) {
    throw new Error(missing(found.reason, found.remedy));
  }
  return withLock(inCache("locks", "docker.lock"), { onWait: waiting(progress) }, async () => {
    const meanwhile = await findEngine();
    if ("host" in meanwhile) return describe(meanwhile.host);
    if (!findProgram("dockerd") || !findProgram("iptables")) {
      if (!canInstallPackages()) throw new Error(missing(found.reason));
      progress("installing Docker (about 30 s)");
      await installPackages(packages, "Installing Docker");
    }
    if (fs.existsSync("/run/systemd/system")) {
      progress("starting the engine");
      const log = logFile("docker");
      await runLogged("systemctl", ["start", "docker"], { log, limitSeconds: 90, what: "Starting Docker" });
      return describe(standardHost);
    }
    const pid = await startEngine(progress);
    return { ...describe(standardHost), started: pid };
  });
}

/** @param {string} host */
function describe(host) {
  const found = host === standardHost || host === "npipe:////./pipe/docker_engine" || process.env.DOCKER_HOST;
  return { host, environment: /** @type {Record<string, string>} */ (found ? {} : { DOCKER_HOST: host }) };
}

/** @param {string} reason @param {string} [remedy] */
function missing(reason, remedy) {
  const install = findProgram("dockerd")
    ? "sudo systemctl start docker"
    : findProgram("apt-get")
      ? installCommand(...packages)
      : "install and start Docker Desktop, or any engine with its interface";
  return `${reason} What brings it: ${remedy ?? install}`;
}

if (isMain(import.meta.url) && process.argv[2] === "stop") {
  console.log(
    (await stopEngine())
      ? "The engine that the set-up started is stopped."
      : "The set-up has no engine running.",
  );
}
