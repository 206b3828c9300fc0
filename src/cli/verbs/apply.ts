/** `exit-ml apply NODE` and its way back, `exit-ml revert`. */

import { printable } from "../../client/words/printable.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

export const addApply: AddVerb = (program, host, act) => {
  const command = program
    .command("apply")
    .argument("<node>", "an id of exit-ml tree, or best")
    .description("write a revision's solution files into the workspace; nothing else is touched")
    .addHelpText(
      "after",
      `
If you changed the solution since the search began, your changes and the revision's are merged;
where they contradict each other nothing is written.

Examples:
  $ exit-ml apply best
  $ exit-ml revert        takes it back`,
    );
  withTask(command).action(
    act(async (node: string, options: TaskOption) => {
      const context = contextOf(command, host);
      const result = await context.withRunner((client) =>
        client.call("apply", { node, task: options.task ?? null }),
      );
      context.result(result, () => [
        result.paths.length === 0
          ? `The workspace has the files of ${result.node} already.`
          : `Applied ${result.node}${result.merged ? ", merged with your changes" : ""}:`,
        ...result.paths.map((path) => `  ${printable(path)}`),
        ...(result.paths.length === 0 ? [] : [`Take it back: ${context.command("revert")}`]),
      ]);
      return 0;
    }),
  );
};

export const addRevert: AddVerb = (program, host, act) => {
  const command = program
    .command("revert")
    .description("take back the revision that was applied last")
    .addHelpText("after", "\nExample:\n  $ exit-ml revert");
  command.action(
    act(async () => {
      const context = contextOf(command, host);
      const result = await context.withRunner((client) => client.call("revert", {}));
      context.result(result, () => [
        `Took back ${result.node}:`,
        ...result.paths.map((path) => `  ${printable(path)}`),
      ]);
      return 0;
    }),
  );
};
