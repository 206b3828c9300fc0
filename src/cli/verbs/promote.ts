/** `exit-ml promote` and `exit-ml rollback`: which weights a model's name means in this workspace. */
import { inForceText } from "../../client/words/tuning-text.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

export const addPromote: AddVerb = (program, host, act) => {
  const command = program
    .command("promote")
    .argument("<model>", "a tuned model, such as m1")
    .description("put a tuned model in force: from then on the base's name means it in this workspace")
    .option("--ungated", "although it has passed no gate")
    .addHelpText("after", "\nexit-ml gate promotes what passes by itself; exit-ml rollback takes it back.");
  command.action(
    act(async (model: string, options: { readonly ungated?: boolean }) => {
      const context = contextOf(command, host);
      const request = { model, ungated: options.ungated === true };
      const current = await context.withLongCall((client, signal) => client.call("promote", request, signal));
      context.result(current, () => [inForceText(current)]);
      return 0;
    }),
  );
};

export const addRollback: AddVerb = (program, host, act) => {
  const command = program
    .command("rollback")
    .argument("[model]", "the tuned model to take out of force (default: the one promoted last)")
    .description("go back to the version before the one in force; nothing is removed")
    .addHelpText("after", "\nexit-ml models shows what is in force; exit-ml promote MODEL puts it back.");
  command.action(
    act(async (model: string | undefined) => {
      const context = contextOf(command, host);
      const request = { model: model ?? null };
      const current = await context.withLongCall((client, signal) =>
        client.call("rollback", request, signal),
      );
      context.result(current, () => [inForceText(current)]);
      return 0;
    }),
  );
};
