/** Which tasks of a workspace are meant when the user names none. */
import { ExitError } from "../core/errors.ts";
import type { ResolvedTask, Workspace } from "../core/ports.ts";
import type { RunEvent } from "../core/reports.ts";
import type { RunRequest } from "./app.ts";
import { ownFault } from "./prepare-tasks.ts";

/** Names of all usable tasks, at least one. @throws ExitError `no-task` with what keeps the task files from use. */
export async function usableTasks(workspace: Workspace): Promise<readonly string[]> {
  const { tasks, problems } = await workspace.tasks();
  if (tasks.length > 0) return tasks.map((task) => task.name);
  const mend = problems.length > 0 ? problems.join("\n") : 'Write one with "exit-ml init".';
  throw new ExitError("no-task", `No task file (exit.task.json) can be used in this workspace. ${mend}`);
}

/** The only task of the workspace. @throws ExitError `no-task`, `task-needed`. */
export async function onlyTask(workspace: Workspace): Promise<string> {
  const [only, ...others] = await usableTasks(workspace);
  if (only !== undefined && others.length === 0) return only;
  throw new ExitError(
    "task-needed",
    `Several tasks are here: name one with --task (${[only, ...others].join(", ")}).`,
  );
}

/**
 * The tasks a run is asked for: those named, the only one, or all that are there to train on.
 * @param refused told of a task that cannot be used; may throw
 * @throws ExitError `no-train-task`, `task-unknown`, `task-invalid`.
 */
export async function chosenTasks(
  request: RunRequest,
  { workspace, emit }: { readonly workspace: Workspace; readonly emit: (event: RunEvent) => void },
  refused: (task: string, error: ExitError) => void,
): Promise<readonly ResolvedTask[]> {
  if (!request.all) {
    const names = request.tasks.length > 0 ? request.tasks : [await onlyTask(workspace)];
    return Promise.all([...new Set(names)].map((name) => workspace.resolve(name)));
  }
  const { problems } = await workspace.tasks();
  for (const text of problems) emit({ type: "message", level: "warn", text: `Left out: ${text}` });
  const train: ResolvedTask[] = [];
  let heldOut = 0;
  for (const name of await usableTasks(workspace)) {
    try {
      const task = await workspace.resolve(name);
      if (task.definition.split === "train") train.push(task);
      else heldOut++;
    } catch (error) {
      refused(name, ownFault(error));
    }
  }
  if (train.length === 0 && heldOut > 0)
    throw new ExitError(
      "no-train-task",
      'No task of this workspace is one to train on: those that can be used are held out ("split": "heldout"). Name one with --task to search on it all the same.',
    );
  return train;
}
