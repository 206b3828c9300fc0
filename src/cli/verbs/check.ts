/** `exit-ml check`: the audit of a task before anything is searched. */

import { printable } from "../../client/words/printable.ts";
import type { Style } from "../../client/words/style.ts";
import type { Finding } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

export const addCheck: AddVerb = (program, host, act) => {
  const command = program
    .command("check")
    .description("try to cheat the task before a model does: is the score sealed, does the root score?")
    .addHelpText(
      "after",
      `
Exit code 0 only if nothing was refused.

Examples:
  $ exit-ml check
  $ exit-ml check --task digits --json`,
    );
  withTask(command).action(
    act(async (options: TaskOption) => {
      const context = contextOf(command, host);
      const report = await context.withLongCall((client, signal) =>
        client.call("check", { task: options.task ?? null }, signal),
      );
      context.result(report, () => [
        context.style.bold(report.task),
        ...report.findings.map((finding) => findingText(finding, context.style)),
        report.passed
          ? context.style.green("The task is sound.")
          : context.style.red("The task is not fit to be searched; see the lines marked ✗."),
      ]);
      return report.passed ? 0 : 1;
    }),
  );
};

function findingText({ level, probe, message }: Finding, style: Style): string {
  const marks = { ok: style.green("✓"), warning: style.yellow("!"), refused: style.red("✗") };
  return `  ${marks[level]} ${probe}  ${printable(message)}`;
}
