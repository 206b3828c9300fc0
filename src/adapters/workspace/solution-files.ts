/** Reads the solution files of a task below a folder. */
import { readFile } from "node:fs/promises";
import { ExitError } from "../../core/errors.ts";
import type { ResolvedTask, Solution, SolutionFile } from "../../core/ports.ts";
import { entryAt, mapLimited } from "./entries.ts";
import { readPattern } from "./patterns.ts";

/** Bytes of one solution file. */
const solutionFileLimit = 1 << 20;

/** The sentence for a file too large to be part of a solution; null if it is not. */
export function sizeFault(path: string, size: number): string | null {
  if (size <= solutionFileLimit) return null;
  const mebibytes = (size / 2 ** 20).toFixed(1);
  return `solution.files: ${path} has ${mebibytes} MiB, but a solution file may have at most 1 MiB; move data to run.inputs`;
}

/** Sorted paths of the solution files that exist below a folder. */
export async function solutionPaths(root: string, task: ResolvedTask): Promise<string[]> {
  const patterns = await Promise.all(
    task.definition.solution.files.map((source) => readPattern(root, source)),
  );
  const found = await Promise.all(patterns.map((pattern) => pattern.find()));
  return [...new Set(found.flat())].filter((path) => task.isSolutionPath(path)).sort();
}

/**
 * @param root real path of the folder
 * @throws ExitError `solution-missing`, `solution-invalid`.
 */
export async function readSolution(root: string, task: ResolvedTask): Promise<Solution> {
  const paths = await solutionPaths(root, task);
  if (paths.length === 0)
    throw new ExitError(
      "solution-missing",
      `${root} holds no solution file of task "${task.id}" (${task.definition.solution.files.join(", ")}); they are looked for at the paths they have in the workspace.`,
    );
  return mapLimited(paths, 16, (path) => readSolutionFile(root, path));
}

async function readSolutionFile(root: string, path: string): Promise<SolutionFile> {
  const entry = await entryAt(root, path);
  const fault =
    entry.link !== "none"
      ? `${path} is reached through a link; put the file itself there.`
      : entry.kind !== "file"
        ? `${path} is not a regular file; take it away.`
        : sizeFault(path, entry.size);
  if (fault !== null) throw new ExitError("solution-invalid", `In ${root}: ${fault}`);
  return { path, bytes: await readFile(entry.real), executable: (entry.mode & 0o111) !== 0 };
}
