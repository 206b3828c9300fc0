/** The user's workspace folder: its task files, their file sets, and the solution in it. */
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { ResolvedTask, Workspace } from "../../core/ports.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { evaluatorDigest } from "./evaluator-digest.ts";
import { problemLines } from "./json-text.ts";
import { didYouMean } from "./nearest.ts";
import { taskFileName } from "./patterns.ts";
import { readSolution } from "./solution-files.ts";
import { createStaging } from "./staging.ts";
import { readTaskFiles, type TaskFiles } from "./task-files.ts";
import { resolveSets, type TaskSets } from "./task-sets.ts";
import type { TaskText } from "./task-text.ts";
import { writeSolution } from "./write-solution.ts";

type ValidTask = TaskText & { readonly definition: TaskDefinition };

/**
 * @param options.folder the workspace folder
 * @param options.stagingFolder where data for sandboxes is copied to, one folder per content
 */
export function createWorkspace(options: {
  readonly folder: string;
  readonly stagingFolder: string;
}): Workspace {
  const folder = resolve(options.folder);
  const staging = createStaging(resolve(options.stagingFolder));

  const withData = async (
    task: Omit<ResolvedTask, "inputs" | "hidden" | "evaluatorDigest">,
    sets: Pick<TaskSets, "inputs" | "hidden">,
  ): Promise<ResolvedTask> => {
    const inputs = await staging.stage(sets.inputs);
    const hidden = await staging.stage(sets.hidden);
    const digest = evaluatorDigest(task.definition, inputs.digest, hidden.digest);
    return { ...task, inputs, hidden, evaluatorDigest: digest };
  };
  const resolveTask = async (name: string): Promise<{ task: ResolvedTask; sets: TaskSets }> => {
    const root = await realFolder(folder);
    const task = pick(name, await readTaskFiles(root), folder);
    const { format } = task.definition.solution;
    if (format !== "code" && format !== "json")
      throw invalid(
        problemLines([
          task.json.problem(
            ["solution", "format"],
            `solution.format: this version runs "code" and "json" solutions, not "${format}" yet`,
          ),
        ]),
      );
    const { sets, problems } = await readable(() => resolveSets(root, task));
    if (problems.length > 0) throw invalid(problemLines(problems));
    const { definition, file } = task;
    const { schema, isSolutionPath, isOutputPath, context } = sets;
    const plain = { id: definition.name, file, definition, schema, isSolutionPath, isOutputPath, context };
    return { task: await withData(plain, sets), sets };
  };

  return {
    folder,
    async tasks() {
      const files = await readTaskFiles(await realFolder(folder));
      const valid = files.tasks.filter(isValid);
      const twins = doubles(valid);
      return {
        tasks: valid
          .filter(({ definition }) => !twins.has(definition.name))
          .map(({ definition, file }) => ({ name: definition.name, file })),
        problems: [
          ...files.tasks.flatMap(({ problems }) => (problems.length > 0 ? [problemLines(problems)] : [])),
          ...files.unreadable,
          ...[...twins].map(([name, paths]) => twinSentence(name, paths)),
        ],
      };
    },
    resolve: async (name) => (await resolveTask(name)).task,
    async holdout({ id }) {
      const { task, sets } = await resolveTask(id);
      return sets.holdout && withData(task, sets.holdout);
    },
    solution: async (task) => readSolution(await realFolder(folder), task),
    solutionIn: async (other, task) => readSolution(await realFolder(resolve(folder, other)), task),
    write: async (task: ResolvedTask, solution) => writeSolution(await realFolder(folder), task, solution),
  };
}

async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    throw new ExitError("folder-missing", `The folder ${folder} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function isValid(task: TaskText): task is ValidTask {
  return task.definition !== null;
}

function invalid(message: string, cause?: unknown): ExitError {
  return new ExitError("task-invalid", message, { cause });
}

/** Names that several task files give themselves, with those files. */
function doubles(tasks: readonly ValidTask[]): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const { definition, file } of tasks)
    files.set(definition.name, [...(files.get(definition.name) ?? []), file]);
  return new Map([...files].filter(([, paths]) => paths.length > 1));
}

function twinSentence(name: string, files: readonly string[]): string {
  return `The task name "${name}" is used by ${files.join(" and ")}; give each task a name of its own.`;
}

/** @throws ExitError `task-invalid`, `task-unknown`. */
function pick(name: string, files: TaskFiles, folder: string): ValidTask {
  const named = files.tasks.filter((task) => task.name === name);
  const broken = named.filter((task) => !isValid(task));
  if (broken.length > 0) throw invalid(broken.map(({ problems }) => problemLines(problems)).join("\n"));
  const valid = named.filter(isValid);
  if (valid.length > 1)
    throw invalid(
      twinSentence(
        name,
        valid.map(({ file }) => file),
      ),
    );
  const [task] = valid;
  if (task) return task;
  const known = files.tasks.filter(isValid).map(({ definition }) => definition.name);
  const near = didYouMean(name, known);
  const list =
    known.length === 0 ? `${folder} holds no valid ${taskFileName}` : `There are: ${known.join(", ")}`;
  const others = files.tasks.filter((other) => !isValid(other)).map(({ problems }) => problemLines(problems));
  throw new ExitError(
    "task-unknown",
    [`No task is called "${name}"${near || "."} ${list}.`, ...others, ...files.unreadable].join("\n"),
  );
}

/** Turns what the file system throws into a sentence about the task's files. */
async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ExitError) throw error;
    throw invalid(`A file of the task cannot be read: ${messageOf(error)}. Check its permissions.`, error);
  }
}
