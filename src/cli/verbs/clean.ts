/** `exit-ml clean`: removes what nothing needs. */
import { bytes, count, fields } from "../../client/words/format.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";

interface Options {
  readonly dryRun?: boolean;
  readonly exports?: boolean;
}

export const addClean: AddVerb = (program, host, act) => {
  const command = program
    .command("clean")
    .description(
      "remove what nothing needs: snapshots without a node, data of changed tasks, old logs, leftovers",
    )
    .option("--dry-run", "only tell what would be removed")
    .option("--exports", "remove the exports in .exit/exports too")
    .addHelpText("after", "\nThe history stays whole.\n\nExample:\n  $ exit-ml clean --dry-run");
  command.action(
    act(async ({ dryRun = false, exports = false }: Options) => {
      const context = contextOf(command, host);
      const report = await context.withRunner((client) => client.call("clean", { dryRun, exports }));
      for (const note of report.notes) context.say(note);
      context.result(report, () => {
        const found = report.freed.filter((each) => each.count > 0);
        const total = found.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
        const rows = found.map(({ kind, count: number, bytes: size }): [string, string] => [
          kind,
          size === null ? count(number) : `${count(number)}, ${bytes(size)}`,
        ]);
        if (rows.length === 0) return ["Nothing to clean up."];
        return fields([...rows, [dryRun ? "would be freed" : "freed", bytes(total)]]);
      });
      return 0;
    }),
  );
};
