/** `exit-ml init`: writes a task file with comments, after checking it the way every task file is checked. */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { problemSentences, proveTask } from "../adapters/workspace/prove-task.ts";
import { ExitError, messageOf } from "../core/errors.ts";
import type { InitRequest } from "./app.ts";
import { taskFileText } from "./task-file-text.ts";

/**
 * Writes a task file and returns its path relative to the workspace. Nothing is written if anything is wrong
 * with the request, if the files it names do not exist, or if the task file is there already.
 * @throws ExitError `task-exists`, `task-invalid`, `write-failed`.
 */
export async function initTask(
  workspaceFolder: string,
  request: InitRequest,
): Promise<{ readonly file: string }> {
  const file = request.file ?? "exit.task.json";
  checkRequest(file, request);
  const root = await realpath(workspaceFolder);
  await refuseExisting(root, file);
  const text = taskFileText(request);
  const problems = await proveTask(root, file, text);
  if (problems.length > 0)
    throw new ExitError("task-invalid", `No task file was written.\n${problemSentences(file, problems)}`);
  await writeWhole(join(root, file), text);
  return { file };
}

function checkRequest(file: string, request: InitRequest): void {
  if (file.split("/").at(-1) !== "exit.task.json")
    throw invalid(
      `A task file is always called exit.task.json, so it cannot be written to ${file}; name a folder for it, such as tasks/one/exit.task.json.`,
    );
  if (
    file.startsWith("/") ||
    /^[a-zA-Z]:|\\/.test(file) ||
    file.split("/").some((part) => part === ".." || part === "")
  )
    throw invalid(`The task file must lie inside the workspace folder, but ${file} does not.`);
  if (request.score === undefined && request.fromRun === undefined)
    throw invalid(
      "A task needs a way to be scored: give a score command, or a regular expression on what the run prints.",
    );
  if (request.score !== undefined && request.fromRun !== undefined)
    throw invalid("A task has one way to be scored: give a score command or a regular expression, not both.");
  if (request.fromRun !== undefined && (request.hidden ?? []).length > 0)
    throw invalid(
      "Hidden files go with a score command: a score read from the run itself has nobody to see them.",
    );
}

function invalid(message: string): ExitError {
  return new ExitError("task-invalid", message);
}

async function refuseExisting(root: string, file: string): Promise<void> {
  const there = await lstat(join(root, file)).catch(() => null);
  if (there)
    throw new ExitError(
      "task-exists",
      `${file} is there already and was left as it is; edit it, or name another folder for the new task.`,
    );
  const parts = file.split("/").slice(0, -1);
  for (const [index] of parts.entries()) {
    const folder = parts.slice(0, index + 1).join("/");
    const info = await lstat(join(root, folder)).catch(() => null);
    if (info && !info.isDirectory())
      throw invalid(
        `${file} cannot be written because ${folder} is ${info.isSymbolicLink() ? "a link" : "not a folder"}; name another folder.`,
      );
  }
}

async function writeWhole(target: string, text: string): Promise<void> {
  const unfinished = join(dirname(target), `.${randomBytes(6).toString("hex")}.exit-tmp`);
  try {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(unfinished, text, { flag: "wx" });
    await rename(unfinished, target);
  } catch (error) {
    throw new ExitError("write-failed", `${target} could not be written: ${messageOf(error)}.`, {
      cause: error,
    });
  } finally {
    await rm(unfinished, { force: true });
  }
}
