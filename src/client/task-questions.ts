/** From flags and answers to the request that writes a task file. */
import { basename } from "node:path";
import { ExitError } from "../protocol/errors.ts";
import type { RequestOf } from "../protocol/methods.ts";
import { splitWords } from "./words/split-words.ts";

export type InitRequest = RequestOf<"init">;

export interface InitFlags {
  readonly file?: string;
  readonly name?: string;
  readonly instruction?: string;
  readonly files?: readonly string[];
  readonly run?: string;
  readonly score?: string;
  readonly hidden?: readonly string[];
  readonly fromRun?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly metric?: string;
  readonly direction?: "maximize" | "minimize";
  readonly worst?: number;
  readonly best?: number;
  readonly image?: string;
}

/** Asks one question. An empty answer stands for `initial`; without one it is asked again, or means none. */
export type Ask = (question: string, initial: string | null) => Promise<string>;

/** Flags without which there is no task, in words: empty if all were given. */
export function missingFlags(flags: InitFlags): string[] {
  const missing = (["name", "instruction", "files", "run", "image"] as const)
    .filter((flag) => flags[flag] === undefined)
    .map((flag) => `--${flag}`);
  if (flags.score === undefined && flags.fromRun === undefined) missing.push("--score (or --from-run)");
  if (flags.direction === "minimize" && (flags.worst === undefined || flags.best === undefined))
    missing.push("--worst and --best (a score to be minimized has no natural ends)");
  return missing;
}

/** Asks for everything the flags leave open. */
export async function askForFlags(given: InitFlags, folder: string, ask: Ask): Promise<InitFlags> {
  const text = async (value: string | undefined, question: string, initial?: string): Promise<string> => {
    if (value !== undefined) return value;
    for (;;) {
      const answer = (await ask(question, initial ?? null)).trim() || initial;
      if (answer) return answer;
    }
  };
  const optional = async (value: string | undefined, question: string): Promise<string | undefined> =>
    value ?? ((await ask(`${question} (empty: none)`, null)).trim() || undefined);
  const list = async (
    value: readonly string[] | undefined,
    question: string,
  ): Promise<readonly string[] | undefined> => {
    if (value !== undefined) return value;
    const answer = splitWords(await ask(`${question} (empty: none)`, null));
    return answer.length > 0 ? answer : undefined;
  };
  const numeric = async (value: number | undefined, question: string, initial: string): Promise<number> => {
    if (value !== undefined) return value;
    for (;;) {
      const answer = Number(await text(undefined, question, initial));
      if (Number.isFinite(answer)) return answer;
    }
  };

  const name = await text(given.name, "Name of the task", nameFrom(folder));
  const instruction = await text(given.instruction, "What should be improved, and under which rules");
  const files =
    given.files ?? splitWords(await text(undefined, "Files that may change (globs)", "solution/**"));
  const run = await text(given.run, "Command that runs the solution", "python3 solution/train.py");
  const input = await list(given.input, "Data the solution may read");
  const output = await list(given.output, "Files it leaves for scoring");
  const score =
    given.fromRun === undefined
      ? await optional(given.score, 'Command that prints {"score": number}')
      : given.score;
  const hidden =
    score === undefined ? given.hidden : await list(given.hidden, "Files only that command may see");
  const fromRun =
    score === undefined
      ? await text(
          given.fromRun,
          "Then the score is read from what the run prints: regular expression",
          "score=([0-9.]+)",
        )
      : given.fromRun;
  const metric = await text(given.metric, "Name of the metric", "score");
  const worst = await numeric(given.worst, "Score that is worth nothing", "0");
  const best = await numeric(given.best, "Score that cannot be bettered", "1");
  const image = await text(given.image, "Sandbox image", "python:3.12-slim");
  return {
    ...given,
    name,
    instruction,
    files,
    run,
    metric,
    worst,
    best,
    image,
    ...(score === undefined ? {} : { score }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(fromRun === undefined ? {} : { fromRun }),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
  };
}

/** @throws ExitError `usage` where a flag that is needed is missing. */
export function initRequestFrom(flags: InitFlags): InitRequest {
  const missing = missingFlags(flags);
  const { name, instruction, files, run, image } = flags;
  if (missing.length > 0 || !name || !instruction || !files || !run || !image)
    throw new ExitError("usage", `exit-ml init still needs ${missing.join(", ")}.`);
  const worst = flags.worst ?? 0;
  const best = flags.best ?? 1;
  return {
    name,
    instruction,
    files: [...files],
    run: splitWords(run),
    metric: {
      name: flags.metric ?? "score",
      direction: flags.direction ?? (best < worst ? "minimize" : "maximize"),
      worst,
      best,
    },
    image,
    ...(flags.file === undefined ? {} : { file: flags.file }),
    ...(flags.score === undefined ? {} : { score: splitWords(flags.score) }),
    ...(flags.hidden === undefined ? {} : { hidden: [...flags.hidden] }),
    ...(flags.fromRun === undefined ? {} : { fromRun: flags.fromRun }),
    ...(flags.input === undefined ? {} : { inputs: [...flags.input] }),
    ...(flags.output === undefined ? {} : { outputs: [...flags.output] }),
  };
}

/** A name the task file accepts, after the folder. */
function nameFrom(folder: string): string {
  const name = basename(folder)
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "");
  return name.slice(0, 64) || "task";
}
