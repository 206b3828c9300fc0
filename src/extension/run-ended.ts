/** The one message a run ends with. */
import { commands, type Disposable, window } from "vscode";
import { confirmationText, isConfirmed } from "../client/words/confirmation-text.ts";
import { type MetricNames, metricNames } from "../client/words/metric.ts";
import type { EventOf } from "../protocol/events.ts";
import type { ListedNode, TaskStatus } from "../protocol/results.ts";
import { commandIds } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Sessions } from "./runner/sessions.ts";

const endings: Record<EventOf<"runEnded">["reason"], string> = {
  iterations: "Its iterations are done.",
  hours: "Its time is up.",
  tokens: "Its tokens are spent.",
  target: "The target score is reached.",
  informative: "It has the informative iterations it was to collect.",
  stopped: "The run was stopped; Iterate Solution goes on from there.",
  error: "The run ended with an error; what is finished is kept.",
};

/** `accuracy 0.97 in n4`, with what its confirmation came to where there is one. */
function bestWords(
  { task, id, score }: ListedNode,
  tasks: readonly TaskStatus[],
  metrics: MetricNames,
): string {
  const found = `${metrics.scored(task, score ?? 0)} in ${id}`;
  const confirmation = tasks.find(({ name }) => name === task)?.confirmation ?? null;
  if (confirmation === null || !isConfirmed(confirmation, id)) return found;
  return `${found} (${confirmationText(confirmation, metrics)})`;
}

export function tellRunEnds(sessions: Sessions, log: Log): Disposable {
  return sessions.onEvent((event) => {
    // A run that a bootstrap collects with is a step of it.
    if (event.type === "runEnded" && sessions.known().tuning === null) void tell(event, sessions, log);
  });
}

async function tell(
  { run, reason, error }: EventOf<"runEnded">,
  sessions: Sessions,
  log: Log,
): Promise<void> {
  const { history, status } = sessions.known();
  const metrics = metricNames(status?.tasks ?? []);
  const found = history
    .best()
    .filter(({ task, parent }) => run.tasks.includes(task) && parent !== null)
    .map((node) => bestWords(node, status?.tasks ?? [], metrics));
  const best = found.length > 0 ? `Best: ${found.join(", ")}.` : "Nothing better than the root yet.";
  const text = [endings[reason], error?.message ?? best].join(" ");
  const button = error !== null ? "Show Log" : found.length > 0 ? "Show Best Revision" : "Iterate Solution";
  const show = error === null ? window.showInformationMessage : window.showErrorMessage;
  const chosen = await show(text, button);
  if (chosen === "Show Log") log.show();
  else if (chosen === "Show Best Revision") await commands.executeCommand(commandIds.showBest);
  else if (chosen === "Iterate Solution") await commands.executeCommand(commandIds.iterate);
}
