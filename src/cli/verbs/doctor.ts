/** `exit-ml doctor`: is everything there that a run needs? */
import { fields } from "../../client/words/format.ts";
import { printable } from "../../client/words/printable.ts";
import { contextOf } from "../context.ts";
import { modelFrom } from "../run-options.ts";
import type { AddVerb } from "../verb.ts";

interface Options {
  readonly model?: string;
  readonly runtime?: string;
  readonly endpoint?: string;
}

export const addDoctor: AddVerb = (program, host, act) => {
  const command = program
    .command("doctor")
    .description(
      "look for everything a run needs (tasks, container engine, image, model) and try what the sandbox enforces",
    )
    .option("--model <name>", "the model a run would name")
    .option("--runtime <name>", "what serves it")
    .option("--endpoint <url>", "where Ollama answers")
    .addHelpText("after", "\nExit code 1 if something is missing.\n\nExample:\n  $ exit-ml doctor");
  command.action(
    act(async ({ model, runtime, endpoint }: Options) => {
      const context = contextOf(command, host);
      const request = {
        model: modelFrom(model, host.cwd),
        runtime: runtime ?? null,
        endpoint: endpoint ?? null,
        selfTest: true,
      };
      const { parts } = await context.withRunner((client) => client.call("doctor", request));
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
