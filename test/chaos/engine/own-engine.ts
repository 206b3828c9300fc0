/**
 * A Docker engine of the suite's own, to be stopped, killed and frozen: own data, own socket, own containerd, own
 * control groups, own network, no bridge and no firewall rules. The engine the user has is only asked for the image.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import Docker from "dockerode";
import { extract, pack } from "tar-stream";
import { image, docker as usual } from "../../adapters/docker/trial.ts";
import { unmount } from "./file-system.ts";

export interface OwnEngine {
  /** Path of its socket. */
  readonly socket: string;
  readonly docker: Docker;
  /** An empty folder of ours, removed with the engine. */
  readonly folder: string;
  /** Where the engine keeps its data. */
  readonly dataFolder: string;
  /** Starts it again and returns when it answers. */
  start(): Promise<void>;
  /** Returns when its process is no more. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** It keeps its connections and says nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Names of containers and volumes it holds. */
  holds(): Promise<string[]>;
  /** Ends it and everything in it, and removes its data. */
  close(): Promise<void>;
}

const startsWithinMs = 60_000;

/** @param prepare called with the empty data folder before the first start, to mount something there. */
export async function startOwnEngine(prepare?: (dataFolder: string) => Promise<void>): Promise<OwnEngine> {
  if (process.getuid?.() !== 0) throw new Error("An engine of its own takes root. Play this case as root.");
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-chaos-"));
  const dataFolder = join(folder, "data");
  const socket = join(folder, "engine.sock");
  const controlGroup = basename(folder);
  const docker = new Docker({ host: undefined, socketPath: socket });
  const containersSocket = join(folder, "containers.sock");
  let containers: ChildProcess | null = null;
  let daemon: ChildProcess | null = null;
  mkdirSync(dataFolder);

  /** Starts a program of the engine, through others or not, and returns when `isReady`. */
  async function begin(
    program: string,
    args: string[],
    isReady: () => Promise<boolean>,
    through: readonly string[] = [],
  ): Promise<ChildProcess> {
    const log = openSync(join(folder, `${program}.log`), "a");
    const [first = program, ...rest] = [...through, program, ...args];
    const child = spawn(first, rest, { cwd: "/", stdio: ["ignore", log, log] });
    closeSync(log);
    let ended: unknown = null;
    child.once("error", (error) => {
      ended = error;
    });
    child.once("exit", (code) => {
      ended = new Error(`${program} ended with ${code}: ${lastLines(join(folder, `${program}.log`))}`);
    });
    for (const late = performance.now() + startsWithinMs; performance.now() < late; await pause(50)) {
      if (ended !== null) throw ended;
      if (await isReady()) return child;
    }
    child.kill("SIGKILL");
    throw new Error(`${program} was started and is not ready after ${startsWithinMs} ms`);
  }

  /** A process of its own, as engines are installed: it and the containers outlive an engine that is killed. */
  function startContainers(): Promise<ChildProcess> {
    const settings = join(folder, "containerd.toml");
    writeFileSync(settings, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const places = ["--root", join(dataFolder, "containerd"), "--state", join(folder, "state")];
    return begin("containerd", ["--config", settings, "--address", containersSocket, ...places], () =>
      Promise.resolve(existsSync(containersSocket)),
    );
  }

  async function start(): Promise<void> {
    daemon = await begin(
      "dockerd",
      [
        ...["--containerd", containersSocket, "--data-root", dataFolder, "--exec-root", join(folder, "exec")],
        ...[
          "--pidfile",
          join(folder, "pid"),
          "--host",
          `unix://${socket}`,
          "--cgroup-parent",
          `/${controlGroup}`,
        ],
        ...["--bridge", "none", "--iptables=false", "--ip6tables=false", "--storage-driver", "overlay2"],
      ],
      () =>
        docker.ping().then(
          () => true,
          () => false,
        ),
      // An engine without a bridge removes the one it finds: in a network of its own it finds none of the user's.
      ["unshare", "--net"],
    );
  }

  async function stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (daemon !== null) await end(daemon, signal);
  }

  async function holds(): Promise<string[]> {
    const containers = await docker.listContainers({ all: true });
    const { Volumes } = await docker.listVolumes();
    return [...containers.flatMap(({ Names }) => Names), ...(Volumes ?? []).map(({ Name }) => Name)];
  }

  async function close(): Promise<void> {
    daemon?.kill("SIGCONT");
    await stop("SIGTERM");
    if (containers !== null) await end(containers, "SIGTERM");
    await endContained(folder, controlGroup);
    await unmount(folder);
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await prepare?.(dataFolder);
    containers = await startContainers();
    await start();
    await takeImage(docker);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...{ socket, docker, folder, dataFolder, start, stop, holds, close },
    freeze: () => daemon?.kill("SIGSTOP"),
    thaw: () => daemon?.kill("SIGCONT"),
  };
}

/** Returns when the process is no more. */
async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

/** What a revision of these cases does not need, most of the image's bytes. */
const leftOut =
  /^(\.\/)?usr\/(include|lib\/gcc|lib\/python3\/dist-packages|share)\/|\.a$|lto-dump|lib[atlu]b?san\.so/;

/** Brings the image of the user's engine, as far as it is needed, under the same name. */
async function takeImage(docker: Docker): Promise<void> {
  const source = await usual.createContainer({ Image: image, Cmd: ["true"], NetworkDisabled: true });
  try {
    const slim = pack();
    const copying = pipeline(
      await source.export(),
      extract().on("entry", (header, content, next) => {
        if (leftOut.test(header.name)) content.on("end", next).resume();
        else content.pipe(slim.entry(header, next));
      }),
    ).then(() => slim.finalize());
    const [repo, tag] = image.split(":");
    const [importing] = await Promise.all([docker.importImage(Readable.from(slim), { repo, tag }), copying]);
    for await (const _ of importing);
    await docker.getImage(image).inspect();
  } finally {
    await source.remove();
  }
}

/** After a kill, containers live on without their engine: whatever is in our control groups is ended by its id. */
async function endContained(folder: string, controlGroup: string): Promise<void> {
  const tree = "/sys/fs/cgroup";
  const groups = [tree, ...readdirSync(tree).map((name) => join(tree, name))]
    .map((place) => join(place, controlGroup))
    .filter((place) => existsSync(place));
  const folders = groups.flatMap((group) => [
    group,
    ...readdirSync(group, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name)),
  ]);
  // Deepest first, as a group is removed only after those in it.
  for (const each of folders.sort((a, b) => b.length - a.length)) {
    for (let turn = 0; turn < 50 && existsSync(each); turn += 1) {
      for (const pid of readFileSync(join(each, "cgroup.procs"), "utf8").split("\n").filter(Boolean))
        endProcess(Number(pid));
      try {
        rmdirSync(each);
      } catch {
        await pause(20);
      }
    }
  }
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // The supervisors of containers name the folder of their engine.
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${folder}/`)) endProcess(Number(pid));
    } catch {
      // It has ended meanwhile.
    }
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function lastLines(log: string): string {
  return readFileSync(log, "utf8").trim().split("\n").slice(-3).join(" | ");
}
