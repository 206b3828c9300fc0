/** The cheapest ways to a good score without doing the work, as solutions to try a score command with. */
import type { ResolvedTask, Solution, SolutionFile } from "../core/ports.ts";
import type { Finding } from "../core/reports.ts";
import { clip } from "../core/verdict.ts";
import { type Language, languageOf } from "./probe-languages.ts";

export interface Probe {
  readonly name: string;
  /** Begins a sentence. */
  readonly what: string;
  readonly solution: Solution;
  /** What to do if it gets through. */
  mend(task: ResolvedTask): string;
}

/** Names under which a careless score command might look for a result. */
const scoreFileNames = [
  "score.json",
  "score.txt",
  "scores.json",
  "result.json",
  "results.json",
  "metrics.json",
  "output.json",
];

/** The probes of a task with a score command, and what could not be probed. */
export function cheatsOf(
  task: ResolvedTask,
  solution: Solution,
): { readonly probes: readonly Probe[]; readonly skipped: readonly Finding[] } {
  if (task.definition.solution.format === "json") return { probes: [emptyObject(solution)], skipped: [] };
  const programs = solution.filter(({ path }) => languageOf(path) !== null);
  if (programs.length === 0)
    return {
      probes: [emptySolution(solution)],
      skipped: [
        {
          level: "warning",
          probe: "fake-score-line",
          message:
            "No solution file is in a language this audit writes programs in (Python, shell, JavaScript, R, Julia), so fake scores were not tried.",
        },
      ],
    };
  const line = JSON.stringify({ score: believableBest(task) });
  return {
    probes: [
      emptySolution(solution),
      {
        name: "fake-score-line",
        what: `A program that only prints ${line}`,
        solution: withPrograms(solution, (language) => language.print(line)),
        mend: () =>
          'The score command must compute the score from the output files itself and answer {"invalid": "reason"} when they are missing.',
      },
      {
        name: "fake-score-file",
        what: `A program that only writes ${line} into score files and outputs`,
        solution: withPrograms(solution, (language) => language.write(fakeFiles(task), line)),
        mend: ({ definition }) =>
          `The score command must check that ${definition.run.outputs.join(", ")} holds what the task asks for, and answer {"invalid": "reason"} when it does not; it must never read a score from there.`,
      },
    ],
    skipped: [],
  };
}

function emptyObject(solution: Solution): Probe {
  return {
    name: "empty-object",
    what: "The empty object {}",
    solution: solution.map((file) => withText(file, "{}\n")),
    mend: () =>
      'Either its defaults are better than the solution, which then should start from them, or the score command must answer {"invalid": "reason"} when required keys are missing.',
  };
}

function emptySolution(solution: Solution): Probe {
  return {
    name: "empty-solution",
    what: "The solution with all its files emptied",
    solution: solution.map((file) => withText(file, "")),
    mend: () =>
      'The score command must answer {"invalid": "reason"} instead of a score when the outputs are missing or empty.',
  };
}

/** Every program of the solution replaced, everything else kept. */
function withPrograms(solution: Solution, write: (language: Language) => string): Solution {
  return solution.map((file) => {
    const language = languageOf(file.path);
    return language === null ? file : withText(file, write(language));
  });
}

function withText(file: SolutionFile, text: string): SolutionFile {
  return { ...file, bytes: new TextEncoder().encode(text) };
}

/** The best score that is not put in quarantine. */
function believableBest(task: ResolvedTask): number {
  const { best, plausible } = task.definition.metric;
  return plausible === undefined ? best : clip(best, plausible[0], plausible[1]);
}

/** Usual names, and names the evaluator gets by the task's own `outputs`. */
function fakeFiles(task: ResolvedTask): string[] {
  const fromOutputs = task.definition.run.outputs.flatMap((pattern) => {
    const folder = pattern
      .replace(/\/+$/, "")
      .split("/")
      .filter((part) => !/[*?{}[\]()]/.test(part))
      .join("/");
    const ending = /\.(\w+)$/.exec(pattern)?.[1];
    const names = [...scoreFileNames, ...(ending === undefined ? [] : [`score.${ending}`])];
    return [pattern, ...names.map((name) => (folder === "" ? name : `${folder}/${name}`))];
  });
  return [
    ...new Set([
      ...scoreFileNames,
      ...fromOutputs.filter((path) => task.isOutputPath(path) && !/[*?{}]/.test(path)),
    ]),
  ];
}
