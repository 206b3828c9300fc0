/** What the sandbox tests share: a sandbox of its own for each test, tasks and solutions written by hand. */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Docker from "dockerode";
import picomatch from "picomatch";
import { afterEach, beforeEach, expect } from "vitest";
import { createDockerSandbox } from "../../../src/adapters/docker/sandbox.ts";
import type {
  EvaluateOutcome,
  Evidence,
  ResolvedTask,
  RunOutcome,
  RunRequest,
  Sandbox,
  Solution,
  StagedData,
} from "../../../src/core/ports.ts";
import { taskSchema } from "../../../src/core/task.ts";
import { createMemoryJournal } from "../../support/memory-journal.ts";

export const image = "exit-ml/python:local";
/** Carries the suite's mark, so that the suite finds what its tests left, and nothing of others. */
export const owner = `exit-ml-tests-${process.env.EXIT_ML_TEST_SUITE ?? "alone"}`;
export const docker = new Docker({ socketPath: "/var/run/docker.sock" });

type Files = Readonly<Record<string, string>>;

function stage(folder: string, files: Files): StagedData {
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return { digest: JSON.stringify(files), folder, files: Object.keys(files).sort() };
}

/** Prints what `out.csv` holds as the score. */
export const readingScore = 'import json\nprint(json.dumps({"score": float(open("out.csv").read())}))\n';

export interface TaskParts {
  readonly command?: readonly string[];
  readonly timeout?: string;
  readonly inputs?: Files;
  readonly outputs?: readonly string[];
  readonly hidden?: Files;
  readonly score?: readonly string[];
  readonly scoreTimeout?: string;
  readonly sandbox?: Readonly<Record<string, unknown>>;
}

export function makeTask(folder: string, parts: TaskParts = {}): ResolvedTask {
  const inputs = stage(join(folder, "inputs"), parts.inputs ?? {});
  const hidden = stage(join(folder, "hidden"), parts.hidden ?? { "score.py": readingScore });
  const outputs = parts.outputs ?? ["out.csv"];
  const isOutput = picomatch([...outputs]);
  return {
    id: "probe",
    file: "exit.task.json",
    definition: taskSchema.parse({
      name: "probe",
      instruction: "Try the sandbox.",
      solution: { files: ["solution/**"] },
      run: {
        command: parts.command ?? ["python3", "solution/main.py"],
        inputs: inputs.files,
        outputs,
        timeout: parts.timeout ?? "60s",
      },
      score: {
        command: parts.score ?? ["python3", "score.py"],
        hidden: hidden.files,
        timeout: parts.scoreTimeout ?? "60s",
      },
      metric: { direction: "maximize", worst: 0, best: 1 },
      sandbox: { image, memory: "256m", disk: "32m", pids: 64, ...parts.sandbox },
    }),
    schema: null,
    isSolutionPath: (path) => path.startsWith("solution/"),
    // The patterns alone: what else is kept out, the sandbox has to keep out.
    isOutputPath: (path) => isOutput(path),
    context: [],
    inputs,
    hidden,
    evaluatorDigest: "",
  };
}

/** A solution of one Python file. */
export function python(...lines: readonly string[]): Solution {
  return files({ "solution/main.py": lines.join("\n") });
}

export function files(texts: Files): Solution {
  return Object.entries(texts).map(([path, text]) => ({
    path,
    bytes: new TextEncoder().encode(text),
    executable: false,
  }));
}

export interface Bench {
  readonly workspaceId: string;
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** Steps written to the journal, `key step`. */
  readonly steps: string[];
  run(task: ResolvedTask, solution: Solution, signal?: AbortSignal): Promise<RunOutcome>;
  evaluate(task: ResolvedTask, ran: RunOutcome, signal?: AbortSignal): Promise<EvaluateOutcome>;
}

export const never = new AbortController().signal;

export function requestFor(task: ResolvedTask, solution: Solution, key: string = randomUUID()): RunRequest {
  return { key, run: "run-1", task, solution, seed: 7, split: "search" };
}

/** A sandbox of its own for each test, closed after it. Nothing of it may be left in the engine then. */
export function useBench(): Bench {
  let bench: Bench;
  beforeEach(() => {
    bench = makeBench();
  });
  afterEach(async () => {
    await bench.sandbox.close();
    rmSync(bench.folder, { recursive: true, force: true });
    expect(await leftovers(bench.workspaceId)).toEqual({ containers: [], volumes: [] });
  });
  return new Proxy({} as Bench, { get: (_, name) => Reflect.get(bench, name) });
}

export function makeBench(socket?: string): Bench {
  const workspaceId = randomUUID();
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-sandbox-"));
  const steps: string[] = [];
  const sandbox = createDockerSandbox({
    workspaceId,
    owner,
    outputsFolder: join(folder, "outputs"),
    journal: createMemoryJournal((key, step) => steps.push(`${key} ${step}`)),
    ...(socket !== undefined && { socket }),
  });
  return {
    workspaceId,
    folder,
    sandbox,
    steps,
    run: (task, solution, signal = never) => sandbox.run(requestFor(task, solution), signal),
    evaluate: (task, ran, signal = never) => {
      if (ran.kind !== "finished") throw new Error(`the run failed: ${JSON.stringify(ran)}`);
      return sandbox.evaluate(requestFor(task, []), ran.outputs, signal);
    },
  };
}

/** Names of what carries the workspace's label. */
export async function leftovers(workspaceId: string): Promise<{ containers: string[]; volumes: string[] }> {
  const filters = { label: [`exit-ml.workspace=${workspaceId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters });
  return {
    containers: containers.flatMap((container) => container.Names),
    volumes: (Volumes ?? []).map((volume) => volume.Name),
  };
}

/** The verdict and evidence of a run that must have failed. */
export function failure(outcome: RunOutcome): { verdict: string; evidence: Evidence } {
  if (outcome.kind !== "failed") throw new Error(`the run finished: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Files and evidence of a run that must have finished. */
export function finished(outcome: RunOutcome): {
  files: readonly string[];
  folder: string;
  evidence: Evidence;
} {
  if (outcome.kind !== "finished") throw new Error(`the run failed: ${JSON.stringify(outcome)}`);
  return { ...outcome.outputs, evidence: outcome.evidence };
}
