/**
 * The file sets of a task held against each other by the rules of DESIGN.md section 4: `hidden` wins over every
 * other set, files that replace others in the holdout are seen by nobody during the search, and no file is both
 * shown or changed and kept secret.
 */
import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import { isSelfLoading } from "../../core/self-loading.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { type Complaints, createComplaints } from "./complaints.ts";
import { readContext } from "./context.ts";
import type { Entry } from "./entries.ts";
import { type FileSet, findSet, listSource, type SetSource } from "./file-sets.ts";
import { checkJsonSolution, readSchema } from "./json-files.ts";
import type { Problem } from "./json-text.ts";
import { occupiedBy } from "./occupied.ts";
import { isPlainPath, readPattern } from "./patterns.ts";
import {
  checkCommands,
  checkHoldout,
  checkOutputs,
  refuseAliases,
  refuseInputsInSolution,
  refuseSecretsShown,
} from "./set-rules.ts";
import { sizeFault } from "./solution-files.ts";
import type { TaskText } from "./task-text.ts";

export interface TaskSets {
  /** What the run may read, without hidden and replacing files. */
  readonly inputs: readonly Entry[];
  /** What only the evaluator sees, without replacing files. */
  readonly hidden: readonly Entry[];
  /** The same two in the holdout; null without one. */
  readonly holdout: Pick<TaskSets, "inputs" | "hidden"> | null;
  readonly context: readonly { readonly path: string; readonly text: string }[];
  readonly schema: Readonly<Record<string, unknown>> | null;
  isSolutionPath(path: string): boolean;
  isOutputPath(path: string): boolean;
}

/**
 * Resolves the sets of a task against the workspace as it is now.
 * @param root real path of the workspace folder
 * @returns with any problem, sets that must not be used
 */
export async function resolveSets(
  root: string,
  task: TaskText & { readonly definition: TaskDefinition },
): Promise<{ readonly sets: TaskSets; readonly problems: readonly Problem[] }> {
  const { definition } = task;
  const complaints = createComplaints(task);
  const find = (
    source: SetSource,
    links: "refused" | "inside",
    empty: "eachPattern" | "wholeSet" | "allowed",
  ) => findSet(root, source, { links, empty }, complaints);

  const solution = await find(
    listSource("solution.files", ["solution", "files"], definition.solution.files),
    "refused",
    "wholeSet",
  );
  const hidden = await find(
    listSource(
      "score.hidden",
      ["score", "hidden"],
      "command" in definition.score ? definition.score.hidden : [],
    ),
    "inside",
    "eachPattern",
  );
  const replacing = await find(replacingSource(definition), "inside", "eachPattern");
  const inputs = await find(
    listSource("run.inputs", ["run", "inputs"], definition.run.inputs),
    "inside",
    "eachPattern",
  );
  const context = await find(contextSource(definition), "inside", "eachPattern");
  const outputs = await Promise.all(definition.run.outputs.map((pattern) => readPattern(root, pattern)));
  const replaced = Object.keys(definition.holdout?.replace ?? {});
  const words = [
    ...definition.run.command,
    ...("command" in definition.score ? definition.score.command : []),
  ];
  const fileWords = new Set(await filesAmong(root, words));

  refuseSecretsShown([solution, context], [hidden, replacing], complaints);
  refuseAliases(inputs, [hidden, replacing], complaints);
  refuseInputsInSolution(inputs, solution, complaints);
  checkHoldout(replaced, { inputs, hidden, replacing }, complaints);

  const isSecret = (path: string): boolean => hidden.matches(path) || replacing.matches(path);
  const secretFiles = new Set(
    [hidden, replacing].flatMap((set) => [...set.members.values()].map(({ entry }) => entry.identity)),
  );
  const isSecretFile = (entry: Entry): boolean => isSecret(entry.path) || secretFiles.has(entry.identity);
  const shownInputs = [...inputs.members.values()].filter(({ entry }) => !isSecret(entry.path));
  const data = [hidden, replacing].flatMap((set) => [...set.members.keys()]);
  const taken = occupiedBy([
    ...data,
    ...replaced.map((path) => posix.normalize(path)),
    ...shownInputs.map(({ entry }) => entry.path),
  ]);
  const isSolutionPath = (path: string): boolean =>
    isPlainPath(path) && solution.matches(path) && !isSecret(path) && !inputs.matches(path) && !taken(path);
  const isSolutionFile = occupiedBy(solution.members.keys());
  const isOutputPath = (path: string): boolean =>
    isPlainPath(path) &&
    outputs.some((pattern) => pattern.matches(path)) &&
    ![solution, hidden, replacing, inputs].some((set) => set.matches(path)) &&
    !taken(path) &&
    !isSolutionFile(path);

  const reachesEvaluator = (path: string): boolean => isOutputPath(path) && !isSelfLoading(path);
  checkOutputs(outputs, reachesEvaluator, [solution, hidden, replacing, inputs], complaints);
  checkCommands(
    definition,
    { solution, hidden, inputs, isOutputPath: reachesEvaluator, isSecret },
    (word) => fileWords.has(word),
    complaints,
  );
  for (const { entry, at } of solution.members.values()) {
    const fault = sizeFault(entry.path, entry.size);
    if (fault !== null) complaints.add(at, fault);
  }
  if (definition.solution.format === "json") await checkJsonSolution(solution, complaints);

  const inputEntries = shownInputs.map(({ entry }) => entry);
  const hiddenEntries = [...hidden.members.values()]
    .map(({ entry }) => entry)
    .filter(({ path }) => !replacing.matches(path));
  const inHoldout = replacer(definition, replacing);
  return {
    sets: {
      inputs: inputEntries,
      hidden: hiddenEntries,
      holdout: inHoldout && { inputs: inputEntries.map(inHoldout), hidden: hiddenEntries.map(inHoldout) },
      context: await readContexts(definition, context, isSolutionPath, complaints),
      schema: await readSchema(root, definition, isSecretFile, complaints),
      isSolutionPath,
      isOutputPath,
    },
    problems: complaints.problems,
  };
}

/** What stands in the holdout at the path of an entry: the file that replaces it, or itself. */
function replacer(definition: TaskDefinition, replacing: FileSet): ((entry: Entry) => Entry) | null {
  if (definition.holdout === undefined) return null;
  const pairs = Object.entries(definition.holdout.replace).map(
    ([replaced, by]) => [posix.normalize(replaced), posix.normalize(by)] as const,
  );
  const replacedBy = new Map(pairs);
  return (entry) => {
    const by = replacing.members.get(replacedBy.get(entry.path) ?? "");
    return by === undefined ? entry : { ...by.entry, path: entry.path };
  };
}

function replacingSource(definition: TaskDefinition): SetSource {
  const at = ["holdout", "replace"];
  const pairs = Object.entries(definition.holdout?.replace ?? {});
  return {
    name: "holdout.replace",
    at,
    patterns: pairs.map(([key, text]) => ({ text, at: [...at, key] })),
  };
}

function contextSource(definition: TaskDefinition): SetSource {
  return {
    name: "context",
    at: ["context"],
    patterns: definition.context.map((item, index) =>
      typeof item === "string"
        ? { text: item, at: ["context", index] }
        : { text: item.file, at: ["context", index, "file"] },
    ),
  };
}

/** In the order of the task file. */
async function readContexts(
  definition: TaskDefinition,
  context: FileSet,
  isSolutionPath: (path: string) => boolean,
  complaints: Complaints,
): Promise<{ path: string; text: string }[]> {
  const heads = new Map(
    definition.context.flatMap((item) =>
      typeof item === "string" ? [] : [[posix.normalize(item.file), item.head] as const],
    ),
  );
  const texts: { path: string; text: string }[] = [];
  const inOrder = [...context.members.values()].sort((a, b) => Number(a.at[1]) - Number(b.at[1]));
  for (const { entry, at } of inOrder) {
    if (isSolutionPath(entry.path)) continue;
    const read = await readContext(entry, heads.get(entry.path) ?? null);
    if ("text" in read) texts.push({ path: entry.path, text: read.text });
    else complaints.add(at, `context: ${entry.path} ${read.fault}`);
  }
  return texts;
}

/** The words of a command that are files of the workspace. */
async function filesAmong(root: string, words: readonly string[]): Promise<string[]> {
  const plain = words.filter((word) => isPlainPath(word));
  const found = await Promise.all(plain.map((word) => lstat(join(root, word)).catch(() => null)));
  return plain.filter((_, index) => found[index]?.isFile());
}
