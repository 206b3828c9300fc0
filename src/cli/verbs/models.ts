/** `exit-ml models`: what a run may sample from. */
import { bytes } from "../../client/words/format.ts";
import { printable } from "../../client/words/printable.ts";
import { stateOf } from "../../client/words/tuning-text.ts";
import type { ModelChoice, TrainingStatus } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

export const addModels: AddVerb = (program, host, act) => {
  const command = program
    .command("models")
    .description("list the models a run may name: those of Ollama and those in the models folder")
    .option("--endpoint <url>", "address of the Ollama server (default: OLLAMA_HOST, or 127.0.0.1:11434)")
    .addHelpText("after", "\nExamples:\n  $ exit-ml models\n  $ exit-ml run --model qwen2.5-coder:7b");
  command.action(
    act(async (options: { readonly endpoint?: string }) => {
      const context = contextOf(command, host);
      const endpoint = options.endpoint ?? (host.env.OLLAMA_HOST || null);
      const { list, training } = await context.withRunner(async (client) => ({
        list: await client.call("models", { endpoint }),
        training: await client.call("training", {}),
      }));
      context.result({ ...list, training }, () => [
        ...(list.models.length === 0 ? ["No model."] : table(list.models)),
        ...tunedLines(training),
        ...list.problems.map((problem) => context.style.yellow(printable(problem))),
      ]);
      return 0;
    }),
  );
};

/** The tuned models of the workspace, each with what it is worth now. */
function tunedLines(training: TrainingStatus): string[] {
  if (training.models.length === 0) return [];
  const rows = training.models.map((model) => [
    model.id,
    printable(model.base.model),
    stateOf(model, training),
  ]);
  return [
    "",
    "Tuned in this workspace; the base's name means what is in force, name#v0 the base itself:",
    ...columns(rows),
  ];
}

function table(models: readonly ModelChoice[]): string[] {
  return columns(
    models.map(({ runtime, name, bytes: size, parameters, quantisation }) => [
      runtime,
      printable(name),
      bytes(size),
      [parameters, quantisation].map((fact) => printable(fact ?? "")).join(" "),
    ]),
  );
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
