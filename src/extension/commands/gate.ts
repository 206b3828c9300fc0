/** **Gate Tuned Model**: is it better than what is in force? If so it is promoted. */
import { defaultGate } from "../../protocol/results.ts";
import type { Session } from "../runner/session.ts";
import type { Entry } from "../training/entry.ts";
import { canBePromoted, chooseTuned } from "./choose-tuned.ts";
import { watchTuning } from "./watch-tuning.ts";

export async function gate(session: Session, entry: Entry | undefined): Promise<void> {
  const training = await session.call("training", {});
  const { id } = await chooseTuned(
    entry,
    training,
    "Gate Tuned Model",
    (model) => canBePromoted(model, training),
    "No tuned model waits for a gate. Fine-Tune Local Model makes one.",
  );
  await watchTuning(session, { job: "gate", model: id, maxReplyTokens: null, ...defaultGate });
}
