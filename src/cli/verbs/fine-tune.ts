/** `exit-ml fine-tune`: trains the model that searched on what it found, installs and verifies it. */
import { fields } from "../../client/words/format.ts";
import { estimateRows, tunedRows } from "../../client/words/tuning-text.ts";
import { contextOf } from "../context.ts";
import { modelFrom } from "../run-options.ts";
import { type TrainingFlags, trainingFrom, trainingOptions } from "../training-options.ts";
import type { AddVerb } from "../verb.ts";
import { watchTuning } from "../watch-tuning.ts";

interface Flags extends TrainingFlags {
  readonly model?: string;
  readonly runtime?: string;
  readonly endpoint?: string;
  readonly estimate?: boolean;
}

export const addFineTune: AddVerb = (program, host, act) => {
  const command = trainingOptions(
    program
      .command("fine-tune")
      .description("train the model that searched on its informative iterations, and install the tuned one")
      .option("--model <name>", "the model (default: the one the newest run sampled from)")
      .option("--runtime <name>", "what serves the model: ollama or embedded")
      .option("--endpoint <url>", "address of the Ollama server (default: OLLAMA_HOST, or 127.0.0.1:11434)")
      .option("--estimate", "only say what it would take: time, memory, disk"),
  ).addHelpText(
    "after",
    `
Exports what can be learned from, unloads the model, trains an adapter over its very weights, adds it to the original
file, installs that beside the base and proves by log-probabilities that it is what answers. The tuned model is not used
before a gate has found it better: exit-ml gate. The trainer's Python environment (some 6 GB) is made the first time.

Ctrl-C ends it; the same command goes on from there, also after a kill.

Examples:
  $ exit-ml fine-tune --estimate
  $ exit-ml fine-tune
  $ exit-ml gate`,
  );
  command.action(
    act(async (flags: Flags) => {
      const context = contextOf(command, host);
      const request = {
        runtime: flags.runtime ?? null,
        model: modelFrom(flags.model, host.cwd),
        endpoint: flags.endpoint ?? (host.env.OLLAMA_HOST || null),
        training: trainingFrom(flags),
      };
      if (flags.estimate) {
        const estimate = await context.withLongCall((client, signal) =>
          client.call("estimateTraining", request, signal),
        );
        context.result(estimate, () => fields(estimateRows(estimate)));
        return 0;
      }
      return context.withRunner(async (client) => {
        const outcome = await watchTuning(client, { job: "fine-tune", ...request }, context);
        if (outcome.job !== "fine-tune" || context.json) return 0;
        const { model } = outcome;
        const next = context.command(`gate ${model.id}`);
        const lines = [`Tuned model ${model.id}`, ...fields(tunedRows(model)), "", `Is it better? ${next}`];
        host.out(lines.map((line) => `${line}\n`).join(""));
        return 0;
      });
    }),
  );
};
