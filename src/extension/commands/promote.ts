/** **Promote Tuned Model** and **Roll Back Model**: which weights a model's name means in this workspace. */
import { commands, window } from "vscode";
import { inForceText, stateOf } from "../../client/words/tuning-text.ts";
import { ExitError } from "../../protocol/errors.ts";
import { commandIds } from "../ids.ts";
import type { Session } from "../runner/session.ts";
import type { Entry } from "../training/entry.ts";
import { callWithProgress } from "./call-with-progress.ts";
import { canBePromoted, chooseTuned } from "./choose-tuned.ts";

export async function promote(session: Session, entry: Entry | undefined): Promise<void> {
  const training = await session.call("training", {});
  const model = await chooseTuned(
    entry,
    training,
    "Promote Tuned Model",
    (one) => canBePromoted(one, training),
    "No tuned model waits to be promoted. Fine-Tune Local Model makes one.",
  );
  const { id } = model;
  // The newest counts: a later gate, against another version, overrules an earlier one.
  const ungated = training.gates.findLast((gate) => gate.model === id)?.decision !== "promote";
  if (ungated && !(await agreesToUngated(id, stateOf(model, training)))) {
    await commands.executeCommand(commandIds.gate, { kind: "model", id } satisfies Entry);
    return;
  }
  const current = await callWithProgress(session, `Promoting ${id}`, (signal) =>
    session.call("promote", { model: id, ungated }, signal),
  );
  const back = "Roll Back";
  const chosen = await window.showInformationMessage(inForceText(current), back);
  if (chosen === back)
    await commands.executeCommand(commandIds.rollback, { kind: "model", id } satisfies Entry);
}

/** False: it shall be gated instead. @throws ExitError `cancelled`. */
async function agreesToUngated(id: string, state: string): Promise<boolean> {
  const anyway = "Promote";
  const first = "Gate First";
  const chosen = await window.showWarningMessage(
    `Promote ${id} although it has passed no gate?`,
    {
      modal: true,
      detail: `It is ${state}, so it may be worse than what is in force. From then on the model's name means it in this workspace; Roll Back Model takes that back.`,
    },
    anyway,
    first,
  );
  if (chosen === undefined) throw new ExitError("cancelled", `${id} was not promoted.`);
  return chosen === anyway;
}

/** Of the row it was called on, else of what was promoted last. */
export async function rollback(session: Session, entry: Entry | undefined): Promise<void> {
  const model = entry?.kind === "model" ? entry.id : null;
  const current = await callWithProgress(session, "Rolling back", (signal) =>
    session.call("rollback", { model }, signal),
  );
  void window.showInformationMessage(inForceText(current));
}
