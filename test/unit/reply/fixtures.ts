import type { ResolvedTask, Solution, StagedData } from "../../../src/core/ports.ts";
import { type ReadReply, readReply } from "../../../src/core/reply/read.ts";
import { type TaskDefinition, taskSchema } from "../../../src/core/task.ts";

const nothing: StagedData = { digest: "", folder: "", files: [] };

/** A code task whose solution is everything under `solution/`, or a json task with one file. */
export function taskOf(change: {
  readonly format?: "code" | "json";
  readonly instruction?: string;
  readonly schema?: Readonly<Record<string, unknown>> | null;
  readonly context?: ResolvedTask["context"];
}): ResolvedTask {
  const format = change.format ?? "code";
  const definition: TaskDefinition = taskSchema.parse({
    name: "digits",
    instruction: change.instruction ?? "Raise the accuracy. Keep a run under one minute.",
    solution: { files: [format === "json" ? "solution/config.json" : "solution/**"], format },
    run: { command: ["python3", "solution/train.py"], outputs: ["predictions.csv"] },
    score: { command: ["python3", "score.py"], hidden: ["score.py"] },
    metric: { direction: "maximize", worst: 0, best: 1 },
    sandbox: { image: "none" },
  });
  return {
    id: "digits",
    file: "exit.task.json",
    definition,
    schema: change.schema ?? null,
    isSolutionPath: (path) =>
      format === "json"
        ? path === "solution/config.json"
        : /^solution\/[^/]/.test(path) && path !== "solution/keep.txt",
    isOutputPath: (path) => path === "predictions.csv",
    context: change.context ?? [],
    inputs: nothing,
    hidden: nothing,
    evaluatorDigest: "",
  };
}

export function solutionOf(files: Readonly<Record<string, string>>): Solution {
  return Object.keys(files)
    .sort()
    .map((path) => ({ path, bytes: new TextEncoder().encode(files[path]), executable: false }));
}

export function textsOf(solution: Solution | null): Record<string, string> | null {
  if (solution === null) return null;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return Object.fromEntries(solution.map((file) => [file.path, decoder.decode(file.bytes)]));
}

/** Reads a complete reply to an improve step. */
export function read(text: string, start: Solution, task: ResolvedTask = taskOf({})): ReadReply {
  return readReply(text, { task, start, finish: "stop", goal: "improve" });
}
