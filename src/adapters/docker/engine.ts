/** The connection to a Docker engine and what is known about it. */
import { Agent } from "node:http";
import { homedir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import Docker from "dockerode";
import { ExitError, messageOf } from "../../core/errors.ts";
import { slots } from "../../core/slots.ts";
import { endpoints } from "./endpoints.ts";
import { codeOf } from "./failure.ts";
import { type Processor, processorOf } from "./warden/warden.ts";

/** Milliseconds an ordinary call may take before the engine counts as silent. */
const callTimeout = 12_000;
const pingTimeout = 2_000;
/** A restart of the engine takes a second or two. */
const comesBackWithin = 5_000;

export interface Engine {
  readonly docker: Docker;
  readonly endpoint: string;
  readonly version: string;
  /** Names of the runtimes a container can be given, and the one it gets otherwise. */
  readonly runtimes: readonly string[];
  readonly defaultRuntime: string;
  /** What else separates containers from the host, or is particular about the engine: `rootless`, `Podman`. */
  readonly traits: readonly string[];
  readonly cpus: number;
  /** What kind they are; null if we have no programs for it. */
  readonly processor: Processor | null;
  /** Bytes. */
  readonly memory: number;
  /** Where the engine keeps its data, as it says itself: the path of a virtual machine, if it runs in one. */
  readonly dataFolder: string | null;
  readonly logDriver: "local" | "none";
  /** Can a container be given our own filter of system calls? */
  readonly takesSystemCalls: boolean;
  /** Limits the engine cannot enforce, as sentences. */
  readonly warnings: readonly string[];
  /** Lets as many containers start at once as there are processors: more only makes each start slower. */
  readonly starts: ReturnType<typeof slots>;
  /** Lets idle connections go: an engine that is stopping still serves those it has, but takes no new ones. */
  renew(): void;
  close(): void;
}

/** Passed to every call that is not a stream. */
export function briefly(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(callTimeout) };
}

/** Opens a stream: limited in time until it is open, by `signal` alone afterwards. */
export async function opening<T>(
  open: (abortSignal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const late = new AbortController();
  const silence = new DOMException("The engine did not answer in time.", "TimeoutError");
  const timer = setTimeout(() => late.abort(silence), callTimeout);
  try {
    return await open(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** For the calls of the library that take no abort signal. */
export async function inTime<T>(call: Promise<T>): Promise<T> {
  const { abortSignal } = briefly();
  return Promise.race([
    call,
    new Promise<never>((_, reject) => {
      abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
    }),
  ]);
}

/** Calls whose options the library's types leave out. */
interface Probes {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
  info(options: { abortSignal: AbortSignal }): Promise<Record<string, unknown>>;
  version(options: {
    abortSignal: AbortSignal;
  }): Promise<{ readonly Components?: readonly { readonly Name: string }[] }>;
}

function probes(docker: Docker): Probes {
  return docker as unknown as Probes;
}

function ping(docker: Docker): Promise<unknown> {
  return probes(docker).ping({ abortSignal: AbortSignal.timeout(pingTimeout) });
}

/**
 * Returns when the engine answers on a new connection. One that is gone is given a few seconds to come back, as it
 * does after an update; one that is there and silent is not waited for.
 * @throws ExitError `docker-unreachable`.
 */
export async function untilItAnswers(
  { docker, endpoint, renew }: Pick<Engine, "docker" | "endpoint" | "renew">,
  signal: AbortSignal,
): Promise<void> {
  for (const late = performance.now() + comesBackWithin; ; await pause(250, undefined, { signal })) {
    renew();
    try {
      await ping(docker);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (codeOf(error) === null || codeOf(error) === "ABORT_ERR" || performance.now() > late)
        throw new ExitError(
          "docker-unreachable",
          `The Docker engine at ${endpoint} no longer answers (${codeOf(error) ?? messageOf(error)}). Start it again and repeat the command: nothing was lost.`,
          { cause: error },
        );
    }
  }
}

interface Modem {
  dial(options: { abortSignal?: AbortSignal }, told: (error: unknown, answer?: unknown) => void): void;
}

/**
 * Lets every call end by its signal. The library hears nothing of an answer that breaks off in the middle: the call
 * would stay pending for ever, and its limit, which the library only hands on to the request, would change nothing.
 */
function heeding(docker: Docker): Docker {
  const modem = docker.modem as Modem;
  const dial = modem.dial.bind(modem);
  modem.dial = (options, told) => {
    const { abortSignal } = options;
    const late = (): void => told(abortSignal?.reason);
    abortSignal?.addEventListener("abort", late, { once: true });
    dial(options, (error, answer) => {
      abortSignal?.removeEventListener("abort", late);
      // Told already if it was late: promises take only the first.
      told(error, answer);
    });
  };
  return docker;
}

function client(endpoint: string): { docker: Docker; agent: Agent | null } {
  const path = /^(?:unix|npipe):\/\/(.+)$/.exec(endpoint)?.[1];
  if (path !== undefined) {
    const agent = new Agent({ keepAlive: true });
    // `host` is spelled out because the client would otherwise take it from DOCKER_HOST.
    const options = { host: undefined, socketPath: path, agent };
    return { docker: heeding(new Docker(options)), agent };
  }
  if (endpoint === process.env.DOCKER_HOST && /^(tcp|https?):/.test(endpoint))
    return { docker: heeding(new Docker()), agent: null };
  throw new ExitError(
    "docker-unreachable",
    `The Docker endpoint ${endpoint} is on another machine or of an unknown kind, but the sandbox mounts folders of this one. Point DOCKER_HOST or the docker context at an engine of this machine.`,
  );
}

function refusal(failures: readonly { endpoint: string; error: unknown }[]): ExitError {
  const denied = failures.find(({ error }) => ["EACCES", "EPERM"].includes(codeOf(error) ?? ""));
  if (denied)
    return new ExitError(
      "docker-denied",
      `Docker is there (${denied.endpoint}), but this user may not open its socket. Run "sudo usermod -aG docker $USER" and log in again, or install rootless Docker.`,
      { cause: denied.error },
    );
  const tried = failures
    .map(({ endpoint, error }) => `${endpoint}: ${codeOf(error) ?? messageOf(error)}`)
    .join("; ");
  return new ExitError(
    "docker-unreachable",
    `No Docker engine answers (${tried}). Start Docker Desktop or "sudo systemctl start docker", or name the socket in DOCKER_HOST.`,
    { cause: failures.at(-1)?.error },
  );
}

async function describe(docker: Docker, endpoint: string, agent: Agent | null): Promise<Engine> {
  const [info, { Components }] = await Promise.all([
    probes(docker).info(briefly()),
    probes(docker).version(briefly()),
  ]);
  const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  const security = list(info.SecurityOptions);
  const isPodman = Components?.some(({ Name }) => Name === "Podman Engine") ?? false;
  const traits = [
    ...(security.some((option) => option.includes("rootless")) ? ["rootless"] : []),
    ...(isPodman ? ["Podman"] : []),
  ];
  const processor = processorOf(info.Architecture);
  const plugins = info.Plugins as { Log?: unknown } | undefined;
  const missing = [
    ["memory", "MemoryLimit"],
    ["swap", "SwapLimit"],
    ["processor", "CpuCfsQuota"],
    ["process count", "PidsLimit"],
  ].filter(([, name]) => info[name ?? ""] === false);
  const cpus = Number(info.NCPU) || 1;
  return {
    docker,
    endpoint,
    version: String(info.ServerVersion ?? "unknown"),
    runtimes: Object.keys((info.Runtimes ?? {}) as object),
    defaultRuntime: String(info.DefaultRuntime ?? "unknown"),
    traits,
    cpus,
    processor,
    memory: Number(info.MemTotal) || Number.POSITIVE_INFINITY,
    dataFolder: typeof info.DockerRootDir === "string" ? info.DockerRootDir : null,
    logDriver: list(plugins?.Log).includes("local") ? "local" : "none",
    // Podman takes the path of a file on its own machine instead.
    takesSystemCalls:
      processor !== null && !isPodman && security.some((option) => option.includes("seccomp")),
    warnings: missing.map(
      ([what]) => `The engine cannot enforce the ${what} limit: a revision may take more than it is given.`,
    ),
    starts: slots(cpus),
    renew() {
      for (const socket of Object.values(agent?.freeSockets ?? {}).flat()) socket?.destroy();
    },
    close: () => agent?.destroy(),
  };
}

/**
 * Finds an engine that answers.
 * @param socket path of its socket, or null to look in the usual places.
 * @throws ExitError `docker-unreachable`, `docker-denied`.
 */
export async function connect(socket: string | null): Promise<Engine> {
  const candidates = await endpoints(socket, {
    env: process.env,
    home: homedir(),
    uid: process.getuid?.() ?? null,
    platform: process.platform,
  });
  const failures: { endpoint: string; error: unknown }[] = [];
  for (const endpoint of candidates) {
    const { docker, agent } = client(endpoint);
    try {
      await ping(docker);
      return await describe(docker, endpoint, agent);
    } catch (error) {
      agent?.destroy();
      failures.push({ endpoint, error });
    }
  }
  throw refusal(failures);
}
