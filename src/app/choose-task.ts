/** Which tasks of a workspace are meant when the user names none. */
import { ExitError } from "../core/errors.ts";
import type { Workspace } from "../core/ports.ts";

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
