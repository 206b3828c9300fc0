/** `exit-ml gate`: is a tuned model better than the one in force? If so it is promoted. */
import { fields } from "../../client/words/format.ts";
import { decisions, gateRows } from "../../client/words/tuning-text.ts";
import { contextOf } from "../context.ts";
import { evaluationText } from "../curve-text.ts";
import { type GateFlags, gateOptions } from "../gate-options.ts";
import type { AddVerb } from "../verb.ts";
import { watchTuning } from "../watch-tuning.ts";

export const addGate: AddVerb = (program, host, act) => {
  const command = gateOptions(
    program
      .command("gate")
      .argument("[model]", "a tuned model, such as m1 (default: the newest that is finished)")
      .description(
        "prove on held-out tasks that a tuned model is better than the one in force, and promote it",
      ),
  ).addHelpText(
    "after",
    `
Base, version in force and tuned model improve held-out solutions step by step (exit-ml evaluate). The tuned model is
promoted if its quality after the last step is higher with 97.5 % certainty than that of the version in force, and not
more than 0.02 lower than that of the base. Where the first look leaves it open, more chains are sampled once.
Exit code 0 if it was promoted, 3 if not.

Examples:
  $ exit-ml gate
  $ exit-ml gate m2 --chains 32,128
  $ exit-ml rollback                     back to the version before`,
  );
  command.action(
    act(async (model: string | undefined, flags: GateFlags) => {
      const context = contextOf(command, host);
      return context.withRunner(async (client) => {
        const { chains, k: K, seed, maxReplyTokens = null } = flags;
        const asked = { model: model ?? null, chains, K, seed, maxReplyTokens };
        const outcome = await watchTuning(client, { job: "gate", ...asked }, context);
        if (outcome.job !== "gate") return 0;
        const { gate } = outcome;
        if (!context.json) {
          const { style } = context;
          const curves = gate.evaluation === null ? [] : [...evaluationText(gate.evaluation, style), ""];
          const paint = gate.decision === "promote" ? style.green : style.yellow;
          const lines = [
            ...curves,
            paint(`Tuned model ${gate.model}: ${decisions[gate.decision]}`),
            ...fields(gateRows(gate)),
          ];
          host.out(lines.map((line) => `${line}\n`).join(""));
        }
        return gate.decision === "promote" ? 0 : notPromoted;
      });
    }),
  );
};

/** Nothing went wrong, and yet the model is not better: told apart for scripts. */
const notPromoted = 3;
