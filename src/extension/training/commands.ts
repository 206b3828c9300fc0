/** The commands of tuned models. */
import type { Disposable } from "vscode";
import { chooseTuned } from "../commands/choose-tuned.ts";
import { fineTune } from "../commands/fine-tune.ts";
import { gate } from "../commands/gate.ts";
import { promote, rollback } from "../commands/promote.ts";
import { rounds } from "../commands/rounds.ts";
import { commandIds as ids } from "../ids.ts";
import type { Log } from "../log.ts";
import { register } from "../register.ts";
import type { Sessions } from "../runner/sessions.ts";
import type { Entry } from "./entry.ts";
import { copyDetails, revealFolder, showCard, showMetrics } from "./look.ts";
import type { TrainingView } from "./training-view.ts";

export function registerTraining(sessions: Sessions, view: TrainingView, log: Log): Disposable[] {
  const current = () => sessions.current();
  return [
    register(log, ids.fineTune, () => fineTune(sessions)),
    register(log, ids.rounds, async () => rounds(await current())),
    register(log, ids.gate, async (entry?: Entry) => gate(await current(), entry)),
    register(log, ids.promote, async (entry?: Entry) => promote(await current(), entry)),
    register(log, ids.rollback, async (entry?: Entry) => rollback(await current(), entry)),
    register(log, ids.showMetrics, async (entry?: Entry) => {
      const session = await current();
      const training = await session.call("training", {});
      const none = "There is no tuned model yet. Fine-Tune Local Model makes one.";
      const { id } = await chooseTuned(entry, training, "Show Training Metrics", () => true, none);
      await showMetrics(session, id);
    }),
    register(log, ids.showCard, async (entry?: Entry) => {
      if (entry?.kind === "export") await showCard(await current(), entry.id);
    }),
    register(log, ids.revealFolder, async (entry?: Entry) => revealFolder(await current(), entry)),
    register(log, ids.copyDetails, (entry?: Entry) => copyDetails(view.view(), entry)),
  ];
}
