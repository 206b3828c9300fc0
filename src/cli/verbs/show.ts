/** `exit-ml show NODE|GROUP`: one step of the history, with the prompt and the replies behind it. */
import type { Client } from "../../client/connect.ts";
import { groupText, promptText, repliesInFull } from "../../client/words/group-text.ts";
import { nodeText } from "../../client/words/node-text.ts";
import { ExitError, isExitError } from "../../protocol/errors.ts";
import type { Group, Shown } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import type { AddVerb } from "../verb.ts";
import { type TaskOption, withTask } from "./task-option.ts";

interface Options extends TaskOption {
  readonly prompt?: boolean;
  readonly reply?: boolean;
}

export const addShow: AddVerb = (program, host, act) => {
  const command = program
    .command("show")
    .argument("<node-or-group>", "an id of exit-ml tree, a group's id, or best")
    .description("show a node with its verdict and the group that made it, or a whole group")
    .option("--prompt", "print the prompt the model was given")
    .option("--reply", "print the reply that became the node, or all replies of a group")
    .addHelpText("after", "\nExamples:\n  $ exit-ml show best\n  $ exit-ml show best --reply");
  withTask(command).action(
    act(async (id: string, options: Options) => {
      const context = contextOf(command, host);
      const { style } = context;
      const found = await context.withRunner((client) => find(client, id, options.task ?? null));
      const shown = "node" in found ? found : null;
      const group = "node" in found ? found.group : found;
      context.result(found, () => {
        if (!options.prompt && !options.reply)
          return shown === null ? groupText(found as Group, style) : nodeText(shown, style);
        if (group === null) throw new ExitError("root-unwritten", `${id} is a root: no model wrote it.`);
        const replies =
          shown === null ? group.replies : group.replies.filter((reply) => reply.node === shown.node.id);
        return [
          ...(options.prompt ? promptText(group, style) : []),
          ...(options.reply ? repliesInFull(replies, style) : []),
        ];
      });
      return 0;
    }),
  );
};

/** A node of that name, else a group of that name; the error is the one about nodes. */
async function find(client: Client, id: string, task: string | null): Promise<Shown | Group> {
  try {
    return await client.call("show", { node: id, task });
  } catch (error) {
    if (!isExitError(error) || !error.reason.startsWith("node-")) throw error;
    return client.call("showGroup", { group: id }).catch(() => {
      throw error;
    });
  }
}
