/** The JSON files of a json task: its solution and its schema. */
import { readFile } from "node:fs/promises";
import type { TaskDefinition } from "../../core/task.ts";
import type { Complaints } from "./complaints.ts";
import { type Entry, entryAt } from "./entries.ts";
import type { FileSet } from "./file-sets.ts";
import { type JsonPath, parseJsonText } from "./json-text.ts";

/** A json solution is read by programs, so it must be plain JSON: no comments, no trailing commas. */
export async function checkJsonSolution(solution: FileSet, complaints: Complaints): Promise<void> {
  const [member, second] = [...solution.members.values()];
  if (!member) return;
  if (second) {
    complaints.add(
      ["solution", "files"],
      `solution.files matches ${solution.members.size} files, but format json takes exactly one; name it`,
    );
    return;
  }
  const json = parseJsonText(member.entry.path, await readFile(member.entry.real, "utf8"), "json");
  for (const problem of json.problems) complaints.addElsewhere(problem);
}

/** The schema of a json solution, from the task file or from the file it names. */
export async function readSchema(
  root: string,
  definition: TaskDefinition,
  isSecret: (entry: Entry) => boolean,
  complaints: Complaints,
): Promise<Readonly<Record<string, unknown>> | null> {
  const { schema } = definition.solution;
  if (schema === undefined) return null;
  if (typeof schema !== "string") return schema;
  const at: JsonPath = ["solution", "schema"];
  const entry = await entryAt(root, schema);
  if (entry.kind !== "file" || entry.link === "outside") {
    complaints.add(at, `solution.schema: ${schema} is not a file of the workspace; correct the path`);
    return null;
  }
  if (isSecret(entry)) {
    complaints.add(at, `solution.schema: ${schema} is hidden, but the model would see it; use another file`);
    return null;
  }
  const json = parseJsonText(schema, await readFile(entry.real, "utf8"), "json");
  for (const problem of json.problems) complaints.addElsewhere(problem);
  if (json.problems.length > 0) return null;
  const { value } = json;
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  complaints.addElsewhere(json.problem([], "a JSON Schema must be an object"));
  return null;
}
