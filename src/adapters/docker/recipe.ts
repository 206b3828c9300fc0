/** How every container of ours is made: nothing it could do without is left to it. */
import type { MountSettings } from "dockerode";
import type { RunRequest } from "../../core/ports.ts";
import { parseSize } from "../../core/task.ts";
import type { Engine } from "./engine.ts";
import type { Image } from "./image.ts";
import type { NamedOptions } from "./lifecycle.ts";
import { systemCalls } from "./system-calls.ts";
import { wardenPath } from "./warden/warden.ts";

/** The user every command runs as: nobody, on the host too. */
export const uid = 65_534;
export const workdir = "/work";
const mebibyte = 2 ** 20;
const temporary = 64 * mebibyte;

export interface Limits {
  readonly cpus: number;
  /** Bytes, swap included. */
  readonly memory: number;
  readonly pids: number;
  /** Bytes of the largest file. */
  readonly fileSize: number;
}

/** Process 1 of a container, and the time it gives the command. */
export interface Warden {
  /** Its program on this machine. */
  readonly file: string;
  readonly seconds: number;
}

export interface Recipe {
  readonly name: string;
  readonly image: Image;
  readonly command: readonly string[];
  /** Null for helpers of ours, and where there is none for the engine's processors: the command is process 1 then. */
  readonly warden: Warden | null;
  readonly env: readonly string[];
  readonly labels: Record<string, string>;
  readonly mounts: readonly MountSettings[];
  readonly limits: Limits;
  /** The engine's name of it; absent: its default. */
  readonly runtime?: string | undefined;
  /** Which ones, or how many from the first. */
  readonly gpus: number | readonly string[];
}

/** Options of the engine's create call. */
export function createOptions(engine: Engine, recipe: Recipe): NamedOptions {
  const { limits, warden } = recipe;
  const command = warden === null ? recipe.command : [wardenPath, String(warden.seconds), ...recipe.command];
  const gpus = typeof recipe.gpus === "number" ? firstGpus(recipe.gpus) : recipe.gpus;
  return {
    name: recipe.name,
    Image: recipe.image.digest,
    // The command replaces the image's entry point too; a base image must not wrap it.
    Entrypoint: command.slice(0, 1),
    Cmd: command.slice(1),
    // Process 1 hears nothing else: an engine that is stopped does not have to wait.
    StopSignal: "SIGKILL",
    User: `${uid}:${uid}`,
    WorkingDir: workdir,
    Env: [...recipe.env],
    Labels: recipe.labels,
    Tty: false,
    OpenStdin: false,
    HostConfig: {
      ...(recipe.runtime !== undefined && { Runtime: recipe.runtime }),
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", ...(engine.takesSystemCalls ? [`seccomp=${systemCalls}`] : [])],
      ReadonlyRootfs: true,
      IpcMode: "private",
      // Said aloud, for an engine can be set to put its own init first.
      Init: false,
      AutoRemove: false,
      PidsLimit: limits.pids,
      Memory: limits.memory,
      MemorySwap: limits.memory,
      NanoCpus: Math.round(Math.min(limits.cpus, engine.cpus) * 1e9),
      OomScoreAdj: 500,
      ShmSize: Math.floor(limits.memory / 2),
      Ulimits: [
        { Name: "nofile", Soft: 4096, Hard: 4096 },
        { Name: "fsize", Soft: limits.fileSize, Hard: limits.fileSize },
        { Name: "core", Soft: 0, Hard: 0 },
      ],
      Tmpfs: { "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${temporary}` },
      Mounts: [
        ...recipe.mounts,
        ...(warden === null
          ? []
          : [{ Type: "bind" as const, Source: warden.file, Target: wardenPath, ReadOnly: true }]),
      ],
      LogConfig:
        engine.logDriver === "local"
          ? { Type: "local", Config: { "max-size": "1m", "max-file": "2" } }
          : { Type: "none", Config: {} },
      ...(gpus.length > 0 && {
        DeviceRequests: [{ Driver: "", DeviceIDs: [...gpus], Capabilities: [["gpu"]] }],
      }),
    },
  };
}

function firstGpus(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** Environment of a task's commands, beside what the image sets. */
export function environment(request: Omit<RunRequest, "solution">): string[] {
  const threads = Math.ceil(request.task.definition.sandbox.cpus);
  return [
    `EXIT_SEED=${request.seed}`,
    `EXIT_SPLIT=${request.split}`,
    "HOME=/tmp",
    "PYTHONDONTWRITEBYTECODE=1",
    `OMP_NUM_THREADS=${threads}`,
    `OPENBLAS_NUM_THREADS=${threads}`,
    `MKL_NUM_THREADS=${threads}`,
  ];
}

/** Limits of a task; `disk` bytes of scratch are added to its memory where scratch is memory. */
export function limitsOf(request: Omit<RunRequest, "solution">, scratchInMemory: number): Limits {
  const { cpus, memory, pids, disk } = request.task.definition.sandbox;
  return { cpus, memory: parseSize(memory) + scratchInMemory, pids, fileSize: parseSize(disk) };
}

/** Milliseconds after which a command is ended from inside its container, should this process be gone. */
export function innerLimit(limitMs: number): number {
  return (Math.ceil(limitMs / 1000) + 5) * 1000;
}
