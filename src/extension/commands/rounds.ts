/** **Bootstrap**: rounds of searching, training and proving, unattended. */
import { window } from "vscode";
import { duration, plural } from "../../client/words/format.ts";
import {
  type Bootstrap,
  type BootstrapSettings,
  defaultGate,
  defaultRounds,
  defaultTraining,
} from "../../protocol/results.ts";
import type { Session } from "../runner/session.ts";
import { modelSettings, runSettings, trainingSettings } from "../settings.ts";
import { withConsent } from "./ask-consent.ts";
import { askNumber, positive, whole } from "./ask-number.ts";
import { given } from "./given.ts";
import { watchTuning } from "./watch-tuning.ts";

const title = "Bootstrap";

export async function rounds(session: Session): Promise<void> {
  const { bootstraps } = await session.call("training", {});
  const unfinished = bootstraps.findLast(({ endedAt }) => endedAt === null);
  const goesOn = unfinished !== undefined && (await chooseWhetherToGoOn(unfinished));
  const settings = goesOn ? unfinished.settings : await chooseSettings();
  await withConsent(session, (allowed) => {
    const { name, runtime, endpoint } = modelSettings();
    return watchTuning(session, {
      job: "rounds",
      ...{ runtime, model: name, endpoint },
      // One that goes on keeps the consent it was begun with: with more, a new one is begun.
      fresh: !goesOn || allowed.length > 0,
      settings: {
        ...settings,
        chains: [...settings.chains],
        allowMissing: [...settings.allowMissing, ...allowed],
      },
    });
  });
}

async function chooseWhetherToGoOn({ id, rounds, spentMs, settings }: Bootstrap): Promise<boolean> {
  const goOn = {
    label: "$(debug-continue) Go on with the unfinished one",
    description: `${id}, ${plural(rounds.length, "round")}, ${duration(spentMs)} of ${plural(settings.hours, "hour")}`,
  };
  const anew = { label: "$(add) Begin a new one", description: "What was found and tuned is kept" };
  const picked = await window.showQuickPick([goOn, anew], { title, ignoreFocusOut: true });
  return given(picked, "How to begin") === goOn;
}

async function chooseSettings(): Promise<BootstrapSettings> {
  const hours = await chooseNumber(
    "How long all rounds may take",
    [1, 2, defaultRounds.hours, 24],
    "hour",
    positive,
  );
  const most = await chooseNumber(
    "Rounds at most",
    [1, 2, 3],
    "round",
    whole,
    "As many as the time has room for",
  );
  const { groupSize, maxReplyTokens, settings } = runSettings();
  return {
    hours: given(hours ?? undefined, "A time"),
    rounds: most,
    ...{
      groups: defaultRounds.groups,
      collectHours: null,
      search: { groupSize, maxReplyTokens, ...settings },
    },
    ...{ ...defaultGate, allowMissing: [], training: { ...defaultTraining, ...trainingSettings() } },
  };
}

/** @param any offers to set no number, which is null @throws ExitError `cancelled`. */
async function chooseNumber(
  question: string,
  offered: readonly number[],
  unit: string,
  problemIn: (value: number) => string | undefined,
  any?: string,
): Promise<number | null> {
  const fixed = offered.map((value) => ({ label: plural(value, unit), ask: async () => value }));
  const open = any === undefined ? [] : [{ label: any, ask: async () => null }];
  const other = { label: "Other number…", ask: () => askNumber(title, question, problemIn) };
  const picked = await window.showQuickPick([...open, ...fixed, other], {
    title,
    placeHolder: question,
    ignoreFocusOut: true,
  });
  const number = await given(picked, question).ask();
  return given(number, question);
}
