/** `exit-ml export --out DIR`: the informative iterations, for training. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { exportLines } from "../../client/words/export-text.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import { type ExportFormat, exportFormats, formatNotes, goals } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import { number, whole } from "../options.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

type Goal = (typeof goals)[number];

interface Options extends TaskOption {
  readonly out: string;
  readonly format: ExportFormat;
  readonly goal?: readonly Goal[];
  readonly minQuality?: number;
  readonly improving?: boolean;
  readonly perTask?: number;
}

export const addExport: AddVerb = (program, host, act) => {
  const command = withFilter(withTask(program.command("export")))
    .description("write the informative iterations as training data")
    .requiredOption("--out <dir>", "the folder to write the examples and their card to")
    .addOption(new Option("--format <name>", "the form").choices(exportFormats).default("native"))
    .addHelpText(
      "after",
      `
The forms:
${exportFormats.map((format) => `  ${format.padEnd(9)} ${formatNotes[format].meaning}`).join("\n")}

Whatever is left out is counted by its reason, here and in the folder's README.md.

Examples:
  $ exit-ml export --out ./training-data
  $ exit-ml export --out ./pairs --format trl-dpo --improving
  $ exit-ml export --out ./prompts --format verl --goal improve --per-task 200`,
    );
  command.action(
    act(async (options: Options) => {
      const context = contextOf(command, host);
      const report = await context.withRunner((client) =>
        client.call("export", requestFrom(options, host.cwd)),
      );
      context.result(report, () => exportLines(report));
      return 0;
    }),
  );
};

function withFilter(command: Command): Command {
  return command
    .option("--goal <name>", `only iterations of this goal: ${goals.join(", ")} (repeatable)`, collectGoals)
    .option("--min-quality <q>", "least quality, 0 to 1, of a reply to imitate", share)
    .option("--improving", "a reply to imitate must be better than its start, by more than noise")
    .option("--per-task <n>", "at most so many iterations of a task, the newest", whole(1));
}

function requestFrom(options: Options, cwd: string): RequestOf<"export"> {
  return {
    out: resolve(cwd, options.out),
    task: options.task ?? null,
    format: options.format,
    filter: {
      goals: [...(options.goal ?? [])],
      minQuality: options.minQuality ?? null,
      improving: options.improving === true,
      perTask: options.perTask ?? null,
    },
  };
}

function collectGoals(text: string, earlier: readonly Goal[] | undefined): Goal[] {
  const goal = goals.find((known) => known === text);
  if (goal === undefined) throw new InvalidArgumentError(`It must be one of ${goals.join(", ")}.`);
  return [...(earlier ?? []), goal];
}

function share(text: string): number {
  const value = number(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError("It must be a number from 0 to 1.");
  return value;
}
