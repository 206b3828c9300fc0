/** What no task may mix: the rules between its file sets, its outputs and its commands. */
import { posix } from "node:path";
import { isSelfLoading } from "../../core/self-loading.ts";
import type { TaskDefinition } from "../../core/task.ts";
import type { Complaints } from "./complaints.ts";
import type { FileSet } from "./file-sets.ts";
import type { JsonPath } from "./json-text.ts";
import { type Overlap, overlapSentence, overlapsOf } from "./overlaps.ts";
import type { Pattern } from "./patterns.ts";

export function refuseSecretsShown(
  open: readonly FileSet[],
  secret: readonly FileSet[],
  complaints: Complaints,
): void {
  const mend = "such a file must never reach the model or be changed by it, so narrow one of the two";
  for (const set of open)
    for (const other of secret)
      refuse(overlapsOf(set, other), (overlap) => overlapSentence(set, other, overlap, mend), complaints);
}

/** A hidden path is simply left out of the inputs; the same file under another name is a leak. */
export function refuseAliases(inputs: FileSet, secret: readonly FileSet[], complaints: Complaints): void {
  for (const other of secret)
    refuse(
      overlapsOf(inputs, other).filter(({ alias }) => alias !== null),
      (overlap) =>
        overlapSentence(inputs, other, overlap, "the run would read what is hidden: remove the second name"),
      complaints,
    );
}

export function refuseInputsInSolution(inputs: FileSet, solution: FileSet, complaints: Complaints): void {
  refuse(
    overlapsOf(inputs, solution),
    (overlap) => overlapSentence(inputs, solution, overlap, "inputs are read-only, so narrow one of the two"),
    complaints,
  );
}

function refuse(
  overlaps: readonly Overlap[],
  sentence: (overlap: Overlap) => string,
  complaints: Complaints,
): void {
  for (const at of new Set(overlaps.map(({ member }) => member.at)))
    complaints.addMany(at, overlaps.filter(({ member }) => member.at === at).map(sentence));
}

export function checkHoldout(
  replaced: readonly string[],
  sets: { readonly inputs: FileSet; readonly hidden: FileSet; readonly replacing: FileSet },
  complaints: Complaints,
): void {
  for (const key of replaced) {
    const at: JsonPath = ["holdout", "replace", key];
    const path = posix.normalize(key);
    if (sets.replacing.matches(path))
      complaints.add(
        at,
        `holdout.replace: ${path} is replaced and replaces a file at once; use separate files`,
      );
    else if (!sets.inputs.members.has(path) && !sets.hidden.members.has(path))
      complaints.add(
        at,
        `holdout.replace: ${path} is a file of neither run.inputs nor score.hidden, so replacing it changes nothing; name one that is`,
      );
  }
  for (const pattern of sets.replacing.patterns)
    if (pattern.file === null)
      complaints.add(
        ["holdout", "replace"],
        `holdout.replace: "${pattern.source}" is not one file; name the file that replaces the other`,
      );
}

export function checkOutputs(
  outputs: readonly Pattern[],
  isOutputPath: (path: string) => boolean,
  sets: readonly FileSet[],
  complaints: Complaints,
): void {
  for (const [index, { file }] of outputs.entries()) {
    if (file === null || isOutputPath(file)) continue;
    const set = sets.find((candidate) => candidate.matches(file));
    const why = isSelfLoading(file)
      ? "could be loaded as code or settings, and such files never reach the evaluator; use another name"
      : set
        ? `also belongs to ${set.name}, whose files are never taken from a run; use another name or narrow that set`
        : "stands where a file or folder of another set is; use another name";
    complaints.add(["run", "outputs", index], `run.outputs: ${file} ${why}`);
  }
}

/**
 * A command that names a file of the workspace which its container will not have fails at night, so say it now.
 * @param isFile is there a file of that name in the workspace?
 */
export function checkCommands(
  definition: TaskDefinition,
  sets: {
    readonly solution: FileSet;
    readonly hidden: FileSet;
    readonly inputs: FileSet;
    isOutputPath(path: string): boolean;
    isSecret(path: string): boolean;
  },
  isFile: (word: string) => boolean,
  complaints: Complaints,
): void {
  const { solution, hidden, inputs } = sets;
  for (const [index, word] of definition.run.command.entries()) {
    if (!isFile(word) || solution.matches(word)) continue;
    if (sets.isSecret(word))
      complaints.add(
        ["run", "command", index],
        `run.command: ${word} is hidden, so the run does not have it; run something else`,
      );
    else if (!inputs.matches(word) && !sets.isOutputPath(word))
      complaints.add(
        ["run", "command", index],
        `run.command: ${word} is neither part of the solution nor of run.inputs, so the run does not have it; add it to run.inputs`,
      );
  }
  if (!("command" in definition.score)) return;
  for (const [index, word] of definition.score.command.entries())
    if (isFile(word) && !hidden.matches(word) && !inputs.matches(word) && !sets.isOutputPath(word))
      complaints.add(
        ["score", "command", index],
        `score.command: ${word} is in neither score.hidden nor run.inputs, so the evaluator does not have it; add it to score.hidden`,
      );
}
