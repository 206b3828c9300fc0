/** The port `Sandbox` on a Docker engine. */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { ExitError } from "../../core/errors.ts";
import { scratchInMemory } from "../../core/need.ts";
import type { Journal, Sandbox } from "../../core/ports.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { connect, type Engine, untilItAnswers } from "./engine.ts";
import { evaluate } from "./evaluate.ts";
import { removeTrialFolders } from "./folders.ts";
import { gpuIds } from "./gpus.ts";
import { createKit, type Kit } from "./kit.ts";
import type { Owner } from "./names.ts";
import { countOf, find, removeThings } from "./reap.ts";
import { run } from "./run.ts";
import { selfTest } from "./self-test/self-test.ts";
import { createTidying } from "./tidying.ts";

export interface DockerSandboxSettings {
  /** Stable name of the workspace, for labels and names. */
  readonly workspaceId: string;
  /** Name of this installation: engines may be shared, and nobody else's containers are ever touched. */
  readonly owner: string;
  readonly journal: Journal;
  /** A folder of ours; the outputs of trial `key` go to `outputsFolder/key`. */
  readonly outputsFolder: string;
  /** Path of the engine's socket, if the user named one. */
  readonly socket?: string;
}

/** Connects at the first call, and again at the next if no engine answered. */
export function createDockerSandbox(settings: DockerSandboxSettings): Sandbox {
  const tidying = createTidying();
  const owner: Owner = {
    owner: settings.owner,
    workspaceId: settings.workspaceId,
    session: randomUUID(),
  };
  const outputsFolder = resolve(settings.outputsFolder);
  let connection: Promise<Kit> | null = null;
  let gpus: Promise<string[]> | null = null;

  function kit(): Promise<Kit> {
    if (connection === null) {
      const made = connect(settings.socket ?? null).then((engine) =>
        createKit({ engine, owner, journal: settings.journal, outputsFolder, tidying }),
      );
      connection = made;
      made.catch(() => {
        connection = null;
      });
    }
    return connection;
  }

  return {
    async describe({ definition }, signal) {
      signal?.throwIfAborted();
      refuseNetwork(definition);
      const { engine, image } = await kit();
      await untilItAnswers(engine, signal ?? new AbortController().signal);
      refuseRuntime(engine, definition);
      const { name, digest } = await image(definition, "again");
      signal?.throwIfAborted();
      const warnings = [...engine.warnings, ...warningsFor(definition)];
      const { endpoint, version, traits } = engine;
      const boundary = [definition.sandbox.runtime ?? engine.defaultRuntime, ...traits].join(", ");
      return { engine: endpoint, version, boundary, image: name, imageDigest: digest, warnings };
    },
    async selfTest({ definition }, signal) {
      return selfTest(await kit(), definition, signal);
    },
    async run(request, signal) {
      refuseNetwork(request.task.definition);
      const opened = await kit();
      refuseRuntime(opened.engine, request.task.definition);
      return run(opened, request, signal);
    },
    async evaluate(request, outputs, signal) {
      return evaluate(await kit(), request, outputs, signal);
    },
    async resources() {
      const { cpus, memory, dataFolder } = (await kit()).engine;
      gpus ??= gpuIds();
      return { cpus, memory, gpus: await gpus, dataFolder };
    },
    async recover() {
      const { kept, removed } = await (await kit()).recover();
      await removeTrialFolders(outputsFolder);
      return { kept, ...removed };
    },
    async reap(dryRun) {
      const { engine } = await kit();
      const left = await find(engine, owner);
      if (dryRun === undefined) {
        await removeThings(engine, left);
        await removeTrialFolders(outputsFolder);
      }
      return countOf(left);
    },
    async close() {
      const made = await connection?.catch(() => null);
      if (!made) return;
      made.close();
      await tidying.finish();
      // What cannot be removed now is found by the next process.
      await made.sweep().catch(() => undefined);
      made.engine.close();
    },
  };
}

/** A network is a way out for data; until a user can consent to one, there is none. */
function refuseNetwork({ name, sandbox }: TaskDefinition): void {
  if (sandbox.network === "none") return;
  throw new ExitError(
    "network-refused",
    `Task ${name} asks for the network "${sandbox.network}", but a revision runs without any. Set sandbox.network to "none" and list what it needs as inputs or in the image.`,
  );
}

function refuseRuntime({ runtimes }: Engine, { name, sandbox: { runtime } }: TaskDefinition): void {
  if (runtime === undefined || runtimes.includes(runtime)) return;
  throw new ExitError(
    "runtime-missing",
    `Task ${name} asks for the container runtime "${runtime}", but the engine has ${runtimes.join(", ")}. Install it and register it with the engine, or change sandbox.runtime.`,
  );
}

function warningsFor(definition: TaskDefinition): string[] {
  if (scratchInMemory(definition)) return [];
  return [
    `The disk limit of ${definition.sandbox.disk} is a soft limit: above 1g the use of /work is measured once a second.`,
  ];
}
