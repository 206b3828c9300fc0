/**
 * A reply becomes an edit, the edit a solution (EXIT.md section 2.4). Written for small models: slips of form are
 * repaired, each repair is recorded, and whatever is not certain is refused with a sentence instead of guessed.
 */
import type { Edit, Finish, Goal } from "../history.ts";
import type { ResolvedTask, Solution } from "../ports.ts";
import { isComplete, readCode } from "./code.ts";
import { readJson } from "./json.ts";
import { Refusal, refuse } from "./refusal.ts";
import { answerStart } from "./thinking.ts";

/**
 * The rungs of the repair ladder, as they stand in `Edit.repairs`:
 *
 * - `thinking-stripped`: thinking stood before the answer.
 * - `path-above`, `path-in-fence`, `path-comment`: the file was named in another way than by `FILE: path`.
 * - `path-from-search`: the file was not named, and exactly one place of one file fits the SEARCH text.
 * - `unlabelled-block`: the file was not named, and the solution has only one.
 * - `path-normalised`: `./`, `\`, doubled slashes, composed accents, or a bare name of a known file.
 * - `extra-block-ignored`: a block beside the edit shows commands, output or quoted lines.
 * - `duplicate-block`: the same content was written twice. `duplicate-key`: the same key and value were.
 * - `indented-fence`, `fenced-change`, `marker-variant`: other spellings of fences and markers.
 * - `whitespace-insensitive-match`, `blank-lines-trimmed`, `indent-shifted`: how a SEARCH text was found.
 * - `fenced`, `prose-stripped`, `quoted-current-ignored`: what stood around a JSON object.
 * - `trailing-comma`, `json-comment`, `single-quotes`, `bare-key`, `python-literal`: slips inside it.
 */
export interface ReadReply {
  /** The part of the text that was edited in: from the first edit to the last; null where there is none. */
  readonly answer: string | null;
  readonly edit: Edit;
  /** Null exactly for edit kind `none`; the start itself for kind `unchanged`. */
  readonly solution: Solution | null;
}

export interface ReplyContext {
  readonly task: ResolvedTask;
  readonly start: Solution;
  readonly finish: Finish;
  /** Replies to all goals have the same syntax. */
  readonly goal: Goal;
}

export function readReply(text: string, { task, start, finish }: ReplyContext): ReadReply {
  try {
    if (finish !== "stop") refuse(unfinished[finish]);
    const from = answerStart(text, (before) => isCodeOpen(before, task, start));
    const rest = text.slice(from);
    const read = readFormat(rest, task, start);
    const repairs = from > 0 ? ["thinking-stripped", ...read.repairs] : read.repairs;
    const answer = rest.slice(read.start, read.end);
    const paths = changedPaths(start, read.solution);
    if (paths.length === 0)
      return { answer, edit: { kind: "unchanged", repairs, problem: null, paths }, solution: start };
    return { answer, edit: { kind: read.kind, repairs, problem: null, paths }, solution: read.solution };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return {
      answer: null,
      edit: { kind: "none", repairs: [], problem: error.message, paths: [] },
      solution: null,
    };
  }
}

/** A file or change that is not closed yet; JSON never holds a line that is only a tag. */
function isCodeOpen(before: string, task: ResolvedTask, start: Solution): boolean {
  return task.definition.solution.format === "code" && !isComplete(before, start);
}

const unfinished: Readonly<Record<Exclude<Finish, "stop">, string>> = {
  length: "The reply was cut at the length limit.",
  repetition: "The reply was stopped because it repeated itself.",
  lost: "The reply was lost by the model.",
};

function readFormat(
  text: string,
  task: ResolvedTask,
  start: Solution,
): {
  readonly kind: "file" | "blocks" | "json";
  readonly solution: Solution;
  readonly repairs: readonly string[];
  readonly start: number;
  readonly end: number;
} {
  const { format } = task.definition.solution;
  if (format === "code") return readCode(text, task, start);
  if (format === "json") return { kind: "json", ...readJson(text, task, start) };
  return refuse(`Replies to tasks of format "${format}" cannot be read yet.`);
}

/** Paths changed, added or removed, sorted. */
function changedPaths(start: Solution, end: Solution): string[] {
  const before = new Map(start.map((file) => [file.path, file.bytes]));
  const after = new Map(end.map((file) => [file.path, file.bytes]));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => !sameBytes(before.get(path), after.get(path)))
    .sort();
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
