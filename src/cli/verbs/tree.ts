/** `exit-ml tree`: the tree of partial histories. */

import { metricNames } from "../../client/words/metric.ts";
import { contextOf } from "../context.ts";
import { treeText } from "../tree-text.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

interface Options extends TaskOption {
  readonly all?: boolean;
}

export const addTree: AddVerb = (program, host, act) => {
  const command = program
    .command("tree")
    .description("show the tree of partial histories; failed and minor leaves are counted")
    .option("--all", "show every node (--json always does)")
    .addHelpText("after", '\nExamples:\n  $ exit-ml tree\n  $ exit-ml tree --json     {"nodes": [...]}');
  withTask(command).action(
    act(async (options: Options) => {
      const context = contextOf(command, host);
      const { tree, metrics } = await context.withRunner(async (client) => ({
        tree: await client.call("tree", { task: options.task ?? null }),
        metrics: metricNames((await client.call("status", {})).tasks),
      }));
      context.result(tree, () =>
        tree.nodes.length === 0
          ? [`No history yet. Begin one: ${context.command("run")}`]
          : treeText(tree.nodes, { style: context.style, metrics, all: options.all === true }),
      );
      return 0;
    }),
  );
};
