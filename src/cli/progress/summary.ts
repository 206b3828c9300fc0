/** The last words of a run: what it came to, and what to do next. */

import { confirmationText, isConfirmed } from "../../client/words/confirmation-text.ts";
import { fields, plural } from "../../client/words/format.ts";
import { metricNames } from "../../client/words/metric.ts";
import { printable } from "../../client/words/printable.ts";
import { spentWords } from "../../client/words/spent.ts";
import type { Style } from "../../client/words/style.ts";
import type { EventOf } from "../../protocol/events.ts";
import type { Status } from "../../protocol/results.ts";

const endings: Record<EventOf<"runEnded">["reason"], string> = {
  iterations: "The run is complete: its iterations are done.",
  hours: "The run is complete: its time is up.",
  tokens: "The run is complete: its tokens are spent.",
  target: "The run is complete: the target score is reached.",
  informative: "The run is complete: it has the informative iterations it was to collect.",
  stopped: "The run was stopped. What is finished is kept; the same command goes on from there.",
  error: "The run ended with an error. What is finished is kept; the same command goes on from there.",
};

export interface SummaryOptions {
  readonly style: Style;
  /** Writes a command line for the same workspace. */
  command(words: string): string;
}

/** @param tasks as they stand now; none where the runner could not say */
export function summary(
  { run, reason, error }: EventOf<"runEnded">,
  tasks: Status["tasks"],
  { style, command }: SummaryOptions,
): string[] {
  const metrics = metricNames(tasks);
  const own = tasks.filter((task) => run.tasks.includes(task.name));
  const rows: [string, string][] = [["spent", spentWords(run.spent)]];
  let better = false;
  let unconfirmed = false;
  for (const { name, root, best, nodes, selfReported, confirmation } of own) {
    const value = (node: typeof best): string =>
      node === null || node.score === null ? "no score" : metrics.scored(name, node.score);
    const improved = best !== null && best.parent !== null;
    better ||= improved;
    const known = selfReported ? style.yellow(" (self-reported)") : "";
    const text = improved
      ? `${style.green(value(best))} in ${best.id}, depth ${best.depth}; the root has ${value(root)}`
      : `${value(root)}: nothing better than the root yet`;
    const inTree = own.length > 1 ? `, ${plural(nodes, "node")}` : "";
    rows.push([own.length > 1 ? name : "best", `${text}${known}${inTree}`]);
    if (improved && confirmation !== null && isConfirmed(confirmation, best.id))
      rows.push(["", confirmationText(confirmation, metrics)]);
    else unconfirmed ||= improved;
    if (own.length === 1) rows.push(["tree", plural(nodes, "node")]);
  }
  const extra = own.length > 1 ? " --task NAME" : "";
  const next: [string, string][] = better
    ? [
        ...(unconfirmed ? [[command("confirm"), "is it more than noise?"] satisfies [string, string]] : []),
        [command(`diff best${extra}`), "what it changes"],
        [command(`apply best${extra}`), "take it into the workspace"],
        [command("tree"), "everything that was tried"],
        [command("export --out DIR"), "the informative iterations, for training"],
      ]
    : [
        [command("tree"), "everything that was tried"],
        [command("run --iterations 20"), "search longer"],
      ];
  return [
    "",
    style.bold(endings[reason]),
    ...(error === null ? [] : [style.red(printable(error.message))]),
    ...fields(rows).map((line) => `  ${line}`),
    "Next:",
    ...fields(next).map((line) => `  ${line}`),
  ];
}
