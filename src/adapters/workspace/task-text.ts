/** From the text of a task file to its definition, or to everything that is wrong with it. */
import type { z } from "zod";
import { type TaskDefinition, taskSchema } from "../../core/task.ts";
import { type JsonText, type Problem, parseJsonText } from "./json-text.ts";
import { schemaProblems } from "./schema-problems.ts";

export interface TaskText {
  /** Path of the task file in the workspace. */
  readonly file: string;
  readonly json: JsonText;
  /** The name it gives itself, right or wrong; null if none can be made out. */
  readonly name: string | null;
  /** Null if there is any problem. */
  readonly definition: TaskDefinition | null;
  readonly problems: readonly Problem[];
}

export function parseTaskText(file: string, text: string): TaskText {
  const json = parseJsonText(file, text, "jsonc");
  const name = isObject(json.value) && typeof json.value.name === "string" ? json.value.name : null;
  const failed = (problems: readonly Problem[]): TaskText => ({
    file,
    json,
    name,
    definition: null,
    problems,
  });
  if (text.trim() === "")
    return failed([json.problem([], "the task file is empty; `exit-ml init` writes one")]);
  if (json.problems.length > 0) return failed(json.problems);
  const parsed = taskSchema.safeParse(json.value);
  if (!parsed.success) return failed(schemaProblems(allIssues(json.value, parsed.error), json));
  return { file, json, name, definition: parsed.data, problems: [] };
}

/**
 * Rules that span several keys are checked by zod only once every key is known, so the value is checked again
 * without its unknown keys: the user sees all problems at once.
 */
function allIssues(value: unknown, error: z.ZodError): readonly z.core.$ZodIssue[] {
  const unknownKeys = error.issues.filter((issue) => issue.code === "unrecognized_keys");
  if (unknownKeys.length === 0) return error.issues;
  const stripped: unknown = structuredClone(value);
  for (const issue of unknownKeys) {
    let holder = stripped;
    for (const step of issue.path)
      if (isObject(holder) || Array.isArray(holder)) holder = Reflect.get(holder, step);
    if (isObject(holder)) for (const key of issue.keys) delete holder[key];
  }
  const again = taskSchema.safeParse(stripped);
  const seen = new Set(error.issues.map((issue) => JSON.stringify([issue.path, issue.message])));
  const more = (again.error?.issues ?? []).filter(
    (issue) => !seen.has(JSON.stringify([issue.path, issue.message])),
  );
  return [...error.issues, ...more];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
