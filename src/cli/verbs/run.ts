/** `exit-ml run`: starts a run, or goes on with one, and watches it to its end. */
import { type Command, Option } from "commander";
import { strategies } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import { collect, number, positive, whole } from "../options.ts";
import { defaultIterations, type RunFlags, runRequestFrom, settingsHelp } from "../run-options.ts";
import type { AddVerb } from "../verb.ts";
import { watchRun } from "../watch-run.ts";

export const addRun: AddVerb = (program, host, act) => {
  const command = options(program.command("run")).addHelpText(
    "after",
    `
The run ends at the first of its limits; without one after ${defaultIterations} iterations. An unfinished run of the same
tasks is continued. Ctrl-C stops it in good order; a second Ctrl-C leaves it to finish by itself.
The run outlives this terminal: exit-ml status shows it, exit-ml stop ends it.

Settings for --set:
${settingsHelp()}

Exit code 0 if the run reached one of its limits, 130 if it was stopped.

Examples:
  $ exit-ml run
  $ exit-ml run --hours 8 --target 0.97
  $ exit-ml run --strategy greedy --group-size 4 --seed 7 --fresh
  $ exit-ml run --strategy exit --set kappa=2 --set insert=all
  $ exit-ml run --json > events.jsonl      one event a line`,
  );
  command.action(
    act(async (flags: RunFlags) => {
      const context = contextOf(command, host);
      const request = runRequestFrom(flags, host.cwd, host.env);
      return await context.withRunner(async (client) => {
        if (flags.allowEndpoint) await client.call("allowEndpoint", { endpoint: request.endpoint });
        return watchRun(client, request, context);
      });
    }),
  );
};

function options(command: Command): Command {
  return command
    .description("search: let the model propose revisions, score each in the sandbox, grow the tree")
    .option("--task <name>", "a task, where the workspace has several (repeatable)", collect)
    .option("--all", "all tasks of the workspace")
    .addOption(
      new Option("--strategy <name>", "how starts and goals are chosen")
        .choices(strategies)
        .default("balanced"),
    )
    .option("--iterations <n>", "end after so many iterations", whole(1))
    .option("--hours <n>", "end after so many hours of work", positive)
    .option("--tokens <n>", "end after so many sampled tokens", whole(1))
    .option("--target <score>", "end when this score is reached", number)
    .option("--group-size <n>", "replies of an iteration (default: 8)", whole(2, 64))
    .option("--depth <n>", "iterations under way at once, 1 or 2 (default: 2)", whole(1, 2))
    .option("--max-reply-tokens <n>", "longest reply (default: 1024)", whole(16))
    .option("--seed <n>", "seed of every draw (default: drawn)", whole(0))
    .option("--model <name>", "a model's name, or the path of a GGUF file; exit-ml models lists them")
    .option("--runtime <name>", "what serves the model: ollama or embedded")
    .option("--endpoint <url>", "address of the Ollama server (default: OLLAMA_HOST, or 127.0.0.1:11434)")
    .option(
      "--allow-endpoint",
      "agree that prompts are sent to that address on another machine; kept for you",
    )
    .option("--fresh", "end an unfinished run of the same tasks and begin a new one")
    .option(
      "--allow-missing <name>",
      "run although the sandbox lacks this guarantee, as exit-ml doctor names it (repeatable)",
      collect,
    )
    .option("--paper", "follow the paper's rules to the letter")
    .option("--set <name=value>", "a setting, as listed below (repeatable)", collect);
}
