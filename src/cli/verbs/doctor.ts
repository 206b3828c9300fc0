/** `exit-ml doctor`: is everything there that a run needs? */
import { fields } from "../../client/words/format.ts";
import { printable } from "../../client/words/printable.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../program.ts";

export const addDoctor: AddVerb = (program, host, act) => {
  const command = program
    .command("doctor")
    .description("look for everything a run needs: tasks, container engine, sandbox image, model")
    .addHelpText("after", "\nExit code 1 if something is missing.\n\nExample:\n  $ exit-ml doctor");
  command.action(
    act(async () => {
      const context = contextOf(command, host);
      const { parts } = await context.withRunner((client) => client.call("doctor", {}));
      const { green, red } = context.style;
      context.result({ parts }, () =>
        fields(
          parts.map(({ part, ok, message }) => [
            part,
            `${ok ? green("ok") : red("missing")}  ${printable(message)}`,
          ]),
        ),
      );
      return parts.every(({ ok }) => ok) ? 0 : 1;
    }),
  );
};
