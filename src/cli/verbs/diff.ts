/** `exit-ml diff NODE [AGAINST]`. */

import { printable } from "../../client/words/printable.ts";
import type { Style } from "../../client/words/style.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

export const addDiff: AddVerb = (program, host, act) => {
  const command = program
    .command("diff")
    .argument("<node>", "an id of exit-ml tree, or best")
    .argument("[against]", "another node (default: the root of its tree)")
    .description("show what a revision changes, as a unified diff")
    .addHelpText("after", "\nExamples:\n  $ exit-ml diff best\n  $ exit-ml diff best > best.patch");
  withTask(command).action(
    act(async (node: string, against: string | undefined, options: TaskOption) => {
      const context = contextOf(command, host);
      const result = await context.withRunner((client) =>
        client.call("diff", { node, against: against ?? null, task: options.task ?? null }),
      );
      if (context.json || host.stdoutIsTTY)
        context.result(result, () =>
          result.diff === ""
            ? [`${result.to} has the same files as ${result.from}.`]
            : diffText(result.diff, context.style),
        );
      else host.out(result.diff); // a patch must stay byte for byte what it is
      return 0;
    }),
  );
};

/** For people: coloured, and without anything a terminal would obey. */
function diffText(diff: string, style: Style): string[] {
  return printable(diff)
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (/^(diff |index |--- |\+\+\+ )/.test(line)) return style.bold(line);
      if (line.startsWith("@@")) return style.cyan(line);
      if (line.startsWith("+")) return style.green(line);
      return line.startsWith("-") ? style.red(line) : line;
    });
}
