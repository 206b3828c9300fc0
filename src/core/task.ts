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

const insideMessage = "must stay inside the workspace folder (no ..)";
const relativeMessage = "must be a path relative to the workspace folder, written with /";

/** One file of the workspace: relative, with `/`, without `..`. */
const path = z
  .string()
  .min(1)
  .refine((text) => !text.startsWith("/") && !/^[a-zA-Z]:/.test(text) && !text.includes("\\"), {
    error: relativeMessage,
  })
  .refine((text) => !text.split("/").includes(".."), { error: insideMessage });

/** A path or a glob of files (`*`, `**`, `?`, `[ab]`, `{a,b}`); a folder stands for all files below it. */
const pattern = path
  .refine((text) => !text.startsWith("!"), {
    error: "may not start with !: name what belongs to the set instead of what does not",
  })
  .refine((text) => text.split("/").includes("..") || !text.split(/[/,{}()|]/).includes(".."), {
    error: insideMessage,
  });

const command = z.array(z.string().min(1)).min(1);

export const solutionFormats = ["code", "json", "answer", "dialogue"] as const;

function complain(context: z.core.$RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: "custom", path, message });
}

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
        files: z.array(pattern).min(1).describe("Files and globs the model may change."),
        format: z
          .enum(solutionFormats)
          .default("code")
          .describe("code: files of a program; json: one JSON file; answer and dialogue: texts."),
        schema: z
          .union([z.record(z.string(), z.unknown()), path])
          .optional()
          .describe("format json: a JSON Schema, or the path of one; replies are constrained to it."),
      })
      .superRefine((solution, context) => {
        if (solution.format === "json" && solution.files.length !== 1)
          complain(context, ["files"], "format json takes exactly one file");
        if (solution.schema !== undefined && solution.format !== "json")
          complain(context, ["schema"], "goes with format json only");
      })
      .describe("The solution: what a revision consists of."),
    context: z
      .array(
        z.union([
          pattern,
          z.strictObject({
            file: path,
            head: z.int().min(1).describe("How many of its first lines are shown."),
          }),
        ]),
      )
      .default([])
      .describe("Further files shown to the model."),
    run: z
      .strictObject({
        command: command.describe("Runs the revision, with /work (the workspace) as working directory."),
        inputs: z.array(pattern).default([]).describe("Data the revision may read."),
        outputs: z.array(pattern).default([]).describe("Files the evaluator gets."),
        timeout: duration.default("5m").describe('Time limit of one run, such as "5m".'),
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
          timeout: duration.default("1m").describe('Time limit of one scoring, such as "1m".'),
        }),
        z.strictObject({
          fromRun: z
            .string()
            .min(1)
            .superRefine((source, context) => {
              const groups = countGroups(source);
              if (groups === null) complain(context, [], "is not a valid regular expression");
              if (groups === 0)
                complain(context, [], "has no group: put ( ) around the part that is the number");
            })
            .describe("Regular expression whose first group is the score the run prints."),
        }),
      ])
      .describe("How a revision is scored."),
    metric: z
      .strictObject({
        name: z.string().min(1).default("score").describe("What the score is called."),
        direction: z.enum(["maximize", "minimize"]).describe("Which way is better."),
        worst: z.number().describe("Raw score that is worth quality 0."),
        best: z.number().describe("Raw score that is worth quality 1."),
        plausible: z
          .tuple([z.number(), z.number()])
          .optional()
          .describe("Raw scores outside are put in quarantine instead of believed."),
      })
      .superRefine(({ worst, best, direction, plausible }, context) => {
        if (worst === best)
          complain(context, ["best"], "worst and best are equal; they must differ to make a scale");
        else if (best > worst !== (direction === "maximize"))
          complain(
            context,
            ["direction"],
            `contradicts worst ${worst} and best ${best}: swap them or the direction`,
          );
        if (plausible && plausible[0] > plausible[1])
          complain(context, ["plausible"], "the lower bound stands first");
      })
      .describe("The scale of the score."),
    holdout: z
      .strictObject({ replace: z.record(path, path) })
      .optional()
      .describe(
        "Data for scoring winners once more: each key is the file that is replaced, its value the file put there. The values stay hidden during the search.",
      ),
    reward: z
      .enum(["relative", "absolute"])
      .optional()
      .describe("How improve and debug steps are rewarded: by the gain over their start or by the quality."),
    sandbox: z
      .strictObject({
        image: z.string().min(1).optional().describe("Docker image the commands run in."),
        build: z
          .strictObject({
            from: z.string().min(1).default("python:3.12-slim").describe("Base image."),
            requirements: z
              .array(z.string().regex(/^[A-Za-z0-9]/, { error: 'must be a package such as "numpy==2.1"' }))
              .default([])
              .describe("Python packages, as in requirements.txt."),
          })
          .optional()
          .describe("An image to build instead of one that exists; the network is used only while building."),
        cpus: z.number().positive().default(1).describe("CPU cores."),
        memory: size.default("2g").describe('Memory limit, such as "2g".'),
        disk: size.default("256m").describe('Size limit of /work, such as "256m".'),
        pids: z.int().min(16).default(256).describe("Most processes and threads at once."),
        gpus: z.int().min(0).default(0).describe("GPUs a run gets."),
        runtime: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'must be the name of a runtime such as "runsc"' })
          .optional()
          .describe('Container runtime, such as "runsc" (gVisor); left out: the engine\'s default.'),
        network: z
          .string()
          .min(1)
          .default("none")
          .describe('Docker network of a run; anything but "none" asks for consent.'),
      })
      .superRefine((sandbox, context) => {
        if ((sandbox.image === undefined) === (sandbox.build === undefined))
          complain(context, [], 'needs exactly one of "image" and "build"');
      })
      .describe("Where and within which limits the commands run."),
    baseline: z
      .enum(["mustScore", "mayFail"])
      .default("mustScore")
      .describe("Must the solution as it stands score? mayFail: the search starts by repairing it."),
    repeats: z.int().min(1).max(100).default(1).describe("Runs per revision, each with its own seed."),
    split: z.enum(["train", "heldout"]).default("train").describe("heldout: never used for training."),
  })
  .superRefine((task, context) => {
    if ("command" in task.score && task.run.outputs.length === 0)
      complain(
        context,
        ["run", "outputs"],
        "is empty, so the score command would have nothing to read: name the files",
      );
  });

/** Capturing groups of a regular expression; null if it is not one. */
function countGroups(source: string): number | null {
  try {
    return (new RegExp(`${source}|`).exec("")?.length ?? 1) - 1;
  } catch {
    return null;
  }
}

/** The JSON Schema (draft 7) of a task file as a user writes it: keys with a default may be left out. */
export function taskJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(taskSchema, { io: "input", target: "draft-07" });
  return { ...schema, title: "ExIt ML task", allowComments: true, allowTrailingCommas: true };
}

/** A validated task file, defaults filled in. */
export type TaskDefinition = z.infer<typeof taskSchema>;

/** True for a quick-start task, whose number comes from the revision itself. */
export function isSelfReported(task: TaskDefinition): boolean {
  return "fromRun" in task.score;
}

/** The reward rule of improve and debug steps (EXIT.md section 2.7, and 8 for the paper's). */
export function rewardRule(
  task: Pick<TaskDefinition, "reward"> & { readonly solution: Pick<TaskDefinition["solution"], "format"> },
  { paper }: { readonly paper: boolean },
): "relative" | "absolute" {
  const isText = task.solution.format === "answer" || task.solution.format === "dialogue";
  if (isText && paper) return "absolute";
  return task.reward ?? (isText ? "absolute" : "relative");
}
