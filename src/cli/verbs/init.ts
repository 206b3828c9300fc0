/** `exit-ml init`: writes a task file, from flags or from answers. */
import { Option } from "commander";
import {
  type Ask,
  askForFlags,
  type InitFlags,
  initRequestFrom,
  missingFlags,
} from "../../client/task-questions.ts";
import { printable } from "../../client/words/printable.ts";
import { contextOf } from "../context.ts";
import { number } from "../options.ts";
import type { AddVerb } from "../verb.ts";

export const addInit: AddVerb = (program, host, act) => {
  const command = program
    .command("init")
    .description("write a task file; in a terminal it asks for what the flags leave open")
    .option("--name <name>", "name of the task")
    .option("--instruction <text>", "what should be improved, and under which rules")
    .option("--files <glob...>", "the files that may change")
    .option("--run <command>", "runs the solution")
    .option("--score <command>", 'prints {"score": number}; runs in a container of its own')
    .option("--hidden <glob...>", "files only the score command sees: labels, itself")
    .option("--from-run <regexp>", "instead of --score: reads the score from what the run prints")
    .option("--input <glob...>", "data the solution may read")
    .option("--output <glob...>", "files the solution leaves for scoring")
    .option("--metric <name>", "name of the score")
    .addOption(new Option("--direction <direction>", "which way is better").choices(["maximize", "minimize"]))
    .option("--worst <score>", "the score that is worth nothing (default: 0)", number)
    .option("--best <score>", "the score that cannot be bettered (default: 1)", number)
    .option("--image <image>", "the sandbox image")
    .option("--file <path>", "where to write it (default: exit.task.json)")
    .addHelpText(
      "after",
      `
Examples:
  $ exit-ml init
  $ exit-ml init --name digits --instruction "Raise the accuracy." --files "solution/**" \\
      --run "python3 solution/train.py" --input "data/public/**" --output predictions.csv \\
      --score "python3 score.py" --hidden score.py "data/hidden/**" --image python:3.12-slim`,
    );
  command.action(
    act(async (flags: InitFlags) => {
      const context = contextOf(command, host);
      const asks = host.canAsk && missingFlags(flags).length > 0;
      const ask: Ask = (question, initial) => host.ask(`${question}${initial ? ` [${initial}]` : ""}: `);
      const request = initRequestFrom(asks ? await askForFlags(flags, context.folder, ask) : flags);
      const written = await context.withRunner((client) => client.call("init", request));
      context.result(written, () => [
        `Wrote ${printable(written.file)}.`,
        `Next: ${context.command("check")}`,
      ]);
      return 0;
    }),
  );
};
