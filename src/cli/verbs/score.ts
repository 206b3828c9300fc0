/** `exit-ml score`: scores a solution the very way a revision is scored, without a model. */
import { resolve } from "node:path";
import { evidenceText } from "../../client/words/evidence-text.ts";
import { duration, fields, score } from "../../client/words/format.ts";
import { metricNames } from "../../client/words/metric.ts";
import { printable } from "../../client/words/printable.ts";
import type { Style } from "../../client/words/style.ts";
import type { ScoreReport } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

interface Options extends TaskOption {
  readonly from?: string;
}

export const addScore: AddVerb = (program, host, act) => {
  const command = program
    .command("score")
    .description("score the solution as it stands, exactly as a revision is scored")
    .option("--from <dir>", "take the solution files from this folder instead of the workspace")
    .addHelpText(
      "after",
      `
Exit code 0 only if the verdict is "scored".

Examples:
  $ exit-ml score
  $ exit-ml score --from ../my-attempt --json`,
    );
  withTask(command).action(
    act(async (options: Options) => {
      const context = contextOf(command, host);
      const from = options.from === undefined ? null : resolve(host.cwd, options.from);
      const { report, metrics } = await context.withLongCall(async (client, signal) => ({
        report: await client.call("score", { task: options.task ?? null, from }, signal),
        metrics: metricNames((await client.call("status", {})).tasks),
      }));
      context.result(report, () =>
        scoreText(
          report,
          report.score === null ? null : metrics.scored(report.task, report.score),
          context.style,
        ),
      );
      return report.verdict === "scored" ? 0 : 1;
    }),
  );
};

function scoreText(report: ScoreReport, scored: string | null, style: Style): string[] {
  const verdict = (report.verdict === "scored" ? style.green : style.red)(report.verdict);
  const rows: [string, string][] = [
    ["task", report.task],
    ["verdict", scored === null ? verdict : `${verdict}, ${scored}`],
  ];
  if (report.quality !== null) rows.push(["quality", score(report.quality)]);
  for (const [name, value] of Object.entries(report.metrics)) rows.push([printable(name), score(value)]);
  if (report.selfReported)
    rows.push(["note", style.yellow("self-reported: the solution prints its own score")]);
  if (report.feedback !== null) rows.push(["reason", printable(report.feedback)]);
  rows.push(
    ["snapshot", report.snapshot],
    ["took", report.cached ? "nothing: scored before" : duration(report.ms)],
  );
  return [...fields(rows), ...evidenceText(report.evidence, report.verdict, style)];
}
