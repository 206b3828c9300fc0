/** The option most verbs share. */
import type { Command } from "commander";

export interface TaskOption {
  readonly task?: string;
}

export function withTask(command: Command): Command {
  return command.option("--task <name>", "the task, where the workspace has several");
}
