/** Checks the text of a task file that is not written yet, as if it were. */
import { type Problem, problemLines } from "./json-text.ts";
import { readTaskFiles } from "./task-files.ts";
import { resolveSets } from "./task-sets.ts";
import { parseTaskText } from "./task-text.ts";

/**
 * @param root real path of the workspace folder
 * @param file path the text is meant for
 * @returns everything that is wrong with it, also a name that is taken
 */
export async function proveTask(root: string, file: string, text: string): Promise<readonly Problem[]> {
  const task = parseTaskText(file, text);
  const { definition } = task;
  if (definition === null) return task.problems;
  const twin = (await readTaskFiles(root)).tasks.find((other) => other.name === definition.name);
  const taken = twin
    ? [task.json.problem(["name"], `name: "${twin.name}" is taken by ${twin.file}; choose another`)]
    : [];
  const { problems } = await resolveSets(root, { ...task, definition });
  return [...taken, ...problems];
}

/** One line per problem; places in the unwritten file are left out, since nobody can look there. */
export function problemSentences(file: string, problems: readonly Problem[]): string {
  return problems
    .map((problem) => (problem.file === file ? problem.sentence : problemLines([problem])))
    .join("\n");
}
