/** The one message that work with tuned models ends with, in every window of the folder. */
import { commands, type Disposable, window } from "vscode";
import { duration, plural } from "../client/words/format.ts";
import { decisions } from "../client/words/tuning-text.ts";
import { ExitError } from "../protocol/errors.ts";
import type { EventOf } from "../protocol/events.ts";
import { askedFor } from "./commands/ask-consent.ts";
import { commandIds, viewIds } from "./ids.ts";
import type { Log } from "./log.ts";
import { showError } from "./register.ts";
import type { Sessions } from "./runner/sessions.ts";
import { jobNames } from "./training/tuning-words.ts";

type Ended = EventOf<"tuningEnded">;

export function tellTuningEnds(sessions: Sessions, log: Log): Disposable {
  return sessions.onEvent((event) => {
    if (event.type === "tuningEnded") void tell(event, log);
  });
}

/** Buttons: a title, the command behind it and what that is called with. */
type Button = readonly [title: string, command: string, ...given: unknown[]];

const showTraining: Button = ["Show Training", `${viewIds.training}.focus`];

async function tell({ job, outcome, error }: Ended, log: Log): Promise<void> {
  if (outcome !== null) await offer(...resultOf(outcome));
  else if (error?.reason === "stopped")
    await offer(
      `${jobNames[job]} was stopped. What is finished is kept; the same command goes on from there.`,
      [showTraining],
    );
  else if (error !== null && !askedFor.has(error.reason))
    await showError(new ExitError(error.reason, error.message), log);
}

async function offer(text: string, buttons: readonly Button[]): Promise<void> {
  const chosen = await window.showInformationMessage(text, ...buttons.map(([title]) => title));
  const button = buttons.find(([title]) => title === chosen);
  if (button === undefined) return;
  const [, command, ...given] = button;
  await commands.executeCommand(command, ...given);
}

function resultOf(outcome: NonNullable<Ended["outcome"]>): [text: string, buttons: readonly Button[]] {
  switch (outcome.job) {
    case "fine-tune": {
      const { id, base, training } = outcome.model;
      const facts =
        training === null ? "" : ` (${plural(training.updates, "update")} in ${duration(training.ms)})`;
      const gate: Button = ["Gate It Now", commandIds.gate, { kind: "model", id }];
      return [
        `Tuned model ${id} of ${base.model} is ready${facts}. It is used once a gate has found it better.`,
        [gate, showTraining],
      ];
    }
    case "gate": {
      const { model, decision, reason } = outcome.gate;
      const text = `Tuned model ${model} ${decision === "promote" ? "is in force" : `is ${decisions[decision]}`}. ${reason}`;
      const back: Button = ["Roll Back", commandIds.rollback, { kind: "model", id: model }];
      return [text, decision === "promote" ? [showTraining, back] : [showTraining]];
    }
    case "rounds": {
      const { rounds, ended, spentMs } = outcome.bootstrap;
      const promoted = rounds.filter((round) => round.promoted).length;
      return [
        `${ended ?? "Bootstrap ended."} ${plural(rounds.length, "round")} in ${duration(spentMs)}, ${promoted} promoted.`,
        [showTraining],
      ];
    }
  }
}
