/**
 * The task file `exit.task.json`: one task instance `m` (EXIT.md section 1). This zod definition is the only
 * one; the JSON Schema the editor uses is generated from it.
 *
 * All paths and globs are relative to the workspace folder and use `/`.
 */
import { z } from "zod";

const unitsOfTime: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const unitsOfSize: Record<string, number> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** Milliseconds of a duration such as `90s`, `5m`, `1.5h`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  return match ? Number(match[1]) * (unitsOfTime[match[2] ?? ""] ?? 0) : Number.NaN;
}

/** Bytes of a size such as `512k`, `256m`, `2g`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg])b?$/i.exec(text);
  return match
    ? Math.floor(Number(match[1]) * (unitsOfSize[(match[2] ?? "").toLowerCase()] ?? 0))
    : Number.NaN;
}

const duration = z
  .string()
  .refine((text) => parseDuration(text) >= 1, { error: 'must be a duration such as "90s", "5m" or "1h"' });
const size = z
  .string()
  .refine((text) => parseSize(text) >= 1, { error: 'must be a size such as "512k", "256m" or "2g"' });

/** A path or glob inside the workspace: relative, with `/`, without `..`. */
const path = z
  .string()
  .min(1)
  .refine((text) => !text.startsWith("/") && !/^[a-zA-Z]:/.test(text) && !text.includes("\\"), {
    error: "must be a path relative to the workspace folder, written with /",
  })
  .refine((text) => !text.split("/").includes(".."), {
    error: "must stay inside the workspace folder (no ..)",
  });

const command = z.array(z.string().min(1)).min(1);

export const solutionFormats = ["code", "json", "answer", "dialogue"] as const;

export const taskSchema = z
  .strictObject({
    $schema: z.string().optional(),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: "must be 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit",
      })
      .describe("Name of the task, unique in the workspace."),
    instruction: z
      .string()
      .trim()
      .min(1)
      .describe("What the model is asked to improve, and under which rules."),
    solution: z
      .strictObject({
        files: z.array(path).min(1).describe("Files and globs the model may change."),
        format: z.enum(solutionFormats).default("code"),
        schema: z
          .union([z.record(z.string(), z.unknown()), path])
          .optional()
          .describe("format json: a JSON Schema, or the path of one; replies are constrained to it."),
      })
      .describe("The solution: what a revision consists of."),
    context: z
      .array(
        z.union([
          path,
          z.strictObject({ file: path, head: z.int().min(1).describe("Only the first lines.") }),
        ]),
      )
      .default([])
      .describe("Further files shown to the model."),
    run: z
      .strictObject({
        command: command.describe("Runs the revision, with /work (the workspace) as working directory."),
        inputs: z.array(path).default([]).describe("Data the revision may read."),
        outputs: z.array(path).default([]).describe("Files the evaluator gets."),
        timeout: duration.default("5m"),
      })
      .describe("How a revision is run."),
    score: z
      .union([
        z.strictObject({
          command: command.describe(
            'Prints one JSON line: {"score": number, "metrics": {...}} or {"invalid": "reason"}.',
          ),
          hidden: z
            .array(path)
            .default([])
            .describe("Files only the evaluator sees. Wins over every other set."),
          timeout: duration.default("1m"),
        }),
        z.strictObject({
          fromRun: z
            .string()
            .min(1)
            .describe("Regular expression whose first group is the score the run prints."),
        }),
      ])
      .describe("How a revision is scored."),
    metric: z.strictObject({
      name: z.string().min(1).default("score"),
      direction: z.enum(["maximize", "minimize"]),
      worst: z.number().describe("Raw score that is worth quality 0."),
      best: z.number().describe("Raw score that is worth quality 1."),
      plausible: z
        .tuple([z.number(), z.number()])
        .optional()
        .describe("Raw scores outside are put in quarantine instead of believed."),
    }),
    holdout: z
      .strictObject({ replace: z.record(path, path) })
      .optional()
      .describe("Data that replaces other files when a winner is scored once more."),
    reward: z.enum(["relative", "absolute"]).optional(),
    sandbox: z.strictObject({
      image: z.string().min(1).optional(),
      build: z
        .strictObject({
          from: z.string().min(1).default("python:3.12-slim"),
          requirements: z.array(z.string().min(1)).default([]),
        })
        .optional(),
      cpus: z.number().positive().default(1),
      memory: size.default("2g"),
      disk: size.default("256m"),
      pids: z.int().min(16).default(256),
      gpus: z.int().min(0).default(0),
      network: z.string().default("none"),
    }),
    baseline: z.enum(["mustScore", "mayFail"]).default("mustScore"),
    repeats: z.int().min(1).max(100).default(1),
    split: z.enum(["train", "heldout"]).default("train"),
  })
  .superRefine((task, context) => {
    const complain = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const { worst, best, direction, plausible } = task.metric;
    if (worst === best)
      complain(["metric", "best"], "worst and best are equal; they must differ to make a scale");
    else if (best > worst !== (direction === "maximize"))
      complain(
        ["metric", "direction"],
        `contradicts worst ${worst} and best ${best}: swap them or the direction`,
      );
    if (plausible && plausible[0] > plausible[1])
      complain(["metric", "plausible"], "the lower bound stands first");
    if ((task.sandbox.image === undefined) === (task.sandbox.build === undefined))
      complain(["sandbox"], 'needs exactly one of "image" and "build"');
    if (task.solution.format === "json" && task.solution.files.length !== 1)
      complain(["solution", "files"], "format json takes exactly one file");
    if (task.solution.schema !== undefined && task.solution.format !== "json")
      complain(["solution", "schema"], "goes with format json only");
    if ("fromRun" in task.score) {
      try {
        new RegExp(task.score.fromRun);
      } catch {
        complain(["score", "fromRun"], "is not a valid regular expression");
      }
    } else if (task.run.outputs.length === 0)
      complain(
        ["run", "outputs"],
        "is empty, so the score command would have nothing to read: name the files",
      );
  });

/** A validated task file, defaults filled in. */
export type TaskDefinition = z.infer<typeof taskSchema>;
export type SolutionFormat = TaskDefinition["solution"]["format"];

/** True for a quick-start task, whose number comes from the revision itself. */
export function isSelfReported(task: TaskDefinition): boolean {
  return "fromRun" in task.score;
}

/** The reward rule of improve and debug steps (EXIT.md section 2.7). */
export function rewardRule(task: TaskDefinition): "relative" | "absolute" {
  if (task.reward !== undefined) return task.reward;
  return task.solution.format === "code" || task.solution.format === "json" ? "relative" : "absolute";
}
