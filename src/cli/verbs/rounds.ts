/** `exit-ml rounds`: search, learn, prove, again, unattended. */
import { duration } from "../../client/words/format.ts";
import { roundText } from "../../client/words/tuning-text.ts";
import { defaultRounds, defaultTraining } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import { type GateFlags, gateOptions } from "../gate-options.ts";
import { collect, positive, whole } from "../options.ts";
import { guaranteeNamed, modelFrom, settingsFrom } from "../run-options.ts";
import { type TrainingFlags, trainingFrom, trainingOptions } from "../training-options.ts";
import type { AddVerb } from "../verb.ts";
import { watchTuning } from "../watch-tuning.ts";

interface Flags extends TrainingFlags, GateFlags {
  readonly hours: number;
  readonly rounds?: number;
  readonly groups: number;
  readonly collectHours?: number;
  readonly groupSize?: number;
  readonly model?: string;
  readonly runtime?: string;
  readonly endpoint?: string;
  readonly fresh?: boolean;
  readonly allowMissing?: readonly string[];
  readonly set?: readonly string[];
}

export const addRounds: AddVerb = (program, host, act) => {
  const command = trainingOptions(
    gateOptions(
      program
        .command("rounds")
        .description("bootstrap: rounds of searching, training and proving, until the time is over")
        .option("--hours <n>", "budget of all rounds", positive, defaultRounds.hours)
        .option("--rounds <n>", "at most so many", whole(1))
        .option("--groups <n>", "informative iterations a round collects", whole(2), defaultRounds.groups)
        .option("--collect-hours <n>", "time a round may collect (default: half of what is left)", positive)
        .option("--group-size <n>", "replies of an iteration (default: 8)", whole(2, 64))
        .option("--set <name=value>", "a setting of the runs, as exit-ml run takes it (repeatable)", collect)
        .option("--model <name>", "the model, as exit-ml run takes it")
        .option("--runtime <name>", "what serves the model: ollama or embedded")
        .option("--endpoint <url>", "address of the Ollama server (default: OLLAMA_HOST, or 127.0.0.1:11434)")
        .option("--fresh", "begin a new bootstrap instead of going on with the unfinished one")
        .option(
          "--allow-missing <name>",
          "go on although the sandbox lacks this guarantee, as exit-ml doctor names it (repeatable)",
          collect,
        ),
    ),
  ).addHelpText(
    "after",
    `
A round searches all train tasks with the version in force, trains on the informative iterations, and proves the tuned
model on the held-out tasks; it is promoted only if it is better. Two rounds in a row without a promotion end it.
It goes on when this terminal is closed (exit-ml stop ends it), and after any interruption the same command continues.

Examples:
  $ exit-ml rounds --hours 10
  $ exit-ml rounds --hours 2 --rounds 2 --groups 24 --model smollm2:135m
  $ exit-ml rounds --set lambda=0 --learning-rate 1e-4 --most-square 0.5`,
  );
  command.action(
    act(async (flags: Flags) => {
      const context = contextOf(command, host);
      const { hours, groups, k: K, seed, chains } = flags;
      const search = {
        ...(flags.groupSize === undefined ? {} : { groupSize: flags.groupSize }),
        ...(flags.maxReplyTokens === undefined ? {} : { maxReplyTokens: flags.maxReplyTokens }),
        ...settingsFrom(flags.set ?? []),
      };
      const request = {
        job: "rounds",
        runtime: flags.runtime ?? null,
        model: modelFrom(flags.model, host.cwd),
        endpoint: flags.endpoint ?? (host.env.OLLAMA_HOST || null),
        fresh: flags.fresh === true,
        settings: {
          ...{ hours, groups, K, seed, search, chains },
          rounds: flags.rounds ?? null,
          collectHours: flags.collectHours ?? null,
          allowMissing: (flags.allowMissing ?? []).map(guaranteeNamed),
          training: { ...defaultTraining, ...trainingFrom(flags) },
        },
      } as const;
      const outcome = await context.withRunner((client) => watchTuning(client, request, context));
      if (outcome.job !== "rounds" || context.json) return 0;
      const { rounds, ended, spentMs } = outcome.bootstrap;
      const lines = [...rounds.map(roundText), `${ended ?? ""} Took ${duration(spentMs)}.`];
      host.out(lines.map((line) => `${line}\n`).join(""));
      return 0;
    }),
  );
};
