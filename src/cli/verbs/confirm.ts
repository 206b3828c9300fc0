/** `exit-ml confirm`: are the best revisions better than the root on seeds no search has seen? */
import { confirmationText } from "../../client/words/confirmation-text.ts";
import { fields } from "../../client/words/format.ts";
import { metricNames } from "../../client/words/metric.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

export const addConfirm: AddVerb = (program, host, act) => {
  const command = program
    .command("confirm")
    .description("score the best three revisions and the root on fresh seeds: is the gain more than noise?")
    .addHelpText(
      "after",
      `
A run does this at its end. Scores that are known are not made again, so a confirmation that was stopped goes on.
The one-sided tests are held at 2.5 % over the revisions of a task; the winner is then scored once on the holdout.

Exit code 0 only if a gain was confirmed.

Examples:
  $ exit-ml confirm
  $ exit-ml confirm --task digits --json`,
    );
  withTask(command).action(
    act(async (options: TaskOption) => {
      const context = contextOf(command, host);
      const { report, metrics } = await context.withLongCall(async (client, signal) => ({
        report: await client.call("confirm", { task: options.task ?? null }, signal),
        metrics: metricNames((await client.call("status", {})).tasks),
      }));
      context.result(report, () =>
        fields([
          ...report.confirmations.map(
            (confirmation) => [confirmation.task, confirmationText(confirmation, metrics)] as const,
          ),
          ...report.nothingBetter.map((task) => [task, "nothing better than the root yet"] as const),
        ]),
      );
      return report.confirmations.some(({ winner }) => winner !== null) ? 0 : 1;
    }),
  );
};
