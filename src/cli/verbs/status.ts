/** `exit-ml status`: what is there and what is going on. */

import { confirmationText, isConfirmed } from "../../client/words/confirmation-text.ts";
import { fields, plural } from "../../client/words/format.ts";
import { type MetricNames, metricNames } from "../../client/words/metric.ts";
import { printable } from "../../client/words/printable.ts";
import { spentWords } from "../../client/words/spent.ts";
import type { Style } from "../../client/words/style.ts";
import type { Run, Status, TaskStatus } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

export const addStatus: AddVerb = (program, host, act) => {
  const command = program
    .command("status")
    .description("show the tasks, the run at work and the last runs")
    .addHelpText("after", "\nExamples:\n  $ exit-ml status\n  $ exit-ml status --json | jq .activeRun");
  command.action(
    act(async () => {
      const context = contextOf(command, host);
      const status = await context.withRunner((client) => client.call("status", {}));
      context.result(status, () => statusText(status, context.style));
      return 0;
    }),
  );
};

function statusText(status: Status, style: Style): string[] {
  const metrics = metricNames(status.tasks);
  const last = status.runs.at(-1);
  const rows: [string, string][] = [["workspace", printable(status.workspace)]];
  for (const task of status.tasks) rows.push(["task", taskText(task, metrics, style)]);
  if (status.tasks.length === 0) rows.push(["task", "none yet; exit-ml init writes one"]);
  if (status.activeRun !== null)
    rows.push(["run", style.green(`at work: ${runText(status.activeRun, true)}`)]);
  else
    rows.push(["run", last === undefined ? "none yet" : `none at work; the last: ${runText(last, false)}`]);
  if (status.applied !== null)
    rows.push(["applied", `${status.applied.node} of ${status.applied.task}, ${status.applied.at}`]);
  for (const problem of status.problems) rows.push(["problem", style.red(printable(problem))]);
  return fields(rows);
}

function taskText(task: TaskStatus, metrics: MetricNames, style: Style): string {
  const facts = [plural(task.nodes, "node")];
  if (task.root !== null)
    facts.push(
      task.root.score === null
        ? `root ${task.root.verdict ?? "not scored yet"}`
        : `root ${metrics.scored(task.name, task.root.score)}`,
    );
  if (task.best !== null && task.best.score !== null)
    facts.push(`best ${metrics.scored(task.name, task.best.score)} (${task.best.id})`);
  const { best, confirmation } = task;
  if (best !== null && confirmation !== null && isConfirmed(confirmation, best.id))
    facts.push(confirmationText(confirmation, metrics));
  const mark = task.selfReported ? style.yellow(" self-reported") : "";
  return `${style.bold(task.name)} (${printable(task.file)}): ${facts.join(", ")}${mark}`;
}

function runText(run: Run, atWork: boolean): string {
  const facts = [run.id, run.tasks.join(" "), run.strategy, spentWords(run.spent)];
  if (run.endedBy !== null) facts.push(`ended by ${run.endedBy}`);
  else if (!atWork) {
    const verb = run.budget.informative === undefined ? "run" : "rounds";
    facts.push(`unfinished: the same exit-ml ${verb} command goes on with it`);
  }
  return facts.join(", ");
}
