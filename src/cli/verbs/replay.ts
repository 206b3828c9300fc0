/** `exit-ml replay RUN`: does every decision of a run follow from its records? */
import { plural } from "../../client/words/format.ts";
import { printable } from "../../client/words/printable.ts";
import type { Style } from "../../client/words/style.ts";
import type { ReplayReport } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

export const addReplay: AddVerb = (program, host, act) => {
  const command = program
    .command("replay")
    .argument("<run>", "a run's id, such as r1; exit-ml status lists them")
    .description("recompute every decision of a run from its records and compare")
    .addHelpText(
      "after",
      `
Starts, goals, seeds, learnability, rewards, advantages, nodes and the buffer are computed anew from the
recorded outcomes and draws. Exit code 1 if anything recorded is different; each difference is named.

Examples:
  $ exit-ml replay r1
  $ exit-ml replay r1 --json`,
    );
  command.action(
    act(async (run: string) => {
      const context = contextOf(command, host);
      const report = await context.withRunner((client) => client.call("replay", { run }));
      context.result(report, () => replayText(report, context.style));
      return report.differences.length === 0 ? 0 : 1;
    }),
  );
};

function replayText({ differences, groups, decisions, notChecked }: ReplayReport, style: Style): string[] {
  const count = plural(differences.length, "difference");
  const summary = `${count} in ${plural(groups, "group")}, ${plural(decisions, "decision")}`;
  return [
    ...differences.map(({ group, quantity, recorded, recomputed }) =>
      printable(
        `${group}: ${quantity}: recorded ${JSON.stringify(recorded)}, recomputed ${JSON.stringify(recomputed)}`,
      ),
    ),
    ...notChecked.map((sentence) => style.dim(`not checked: ${sentence}`)),
    differences.length === 0 ? style.green(summary) : style.red(summary),
  ];
}
