/** `exit-ml export --out DIR`: the informative iterations, for training. */
import { resolve } from "node:path";
import { plural } from "../../client/words/format.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

interface Options extends TaskOption {
  readonly out: string;
}

export const addExport: AddVerb = (program, host, act) => {
  const command = program
    .command("export")
    .description("write the informative iterations as training data")
    .requiredOption("--out <dir>", "the folder to write groups.jsonl and its companions to")
    .addHelpText("after", "\nExample:\n  $ exit-ml export --out ./training-data");
  withTask(command).action(
    act(async (options: Options) => {
      const context = contextOf(command, host);
      const report = await context.withRunner((client) =>
        client.call("export", { out: resolve(host.cwd, options.out), task: options.task ?? null }),
      );
      context.result(report, () => [
        `Wrote ${plural(report.kept, "group")} of ${report.seen} to ${report.folder}`,
        ...Object.entries(report.dropped).map(([reason, groups]) => `  left out, ${reason}: ${groups}`),
      ]);
      return 0;
    }),
  );
};
