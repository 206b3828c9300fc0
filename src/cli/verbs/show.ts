/** `exit-ml show NODE|GROUP`: one step of the history, with the prompt and the replies behind it. */
import type { Client } from "../../client/connect.ts";
import { ExitError, isExitError } from "../../protocol/errors.ts";
import type { Group, Shown } from "../../protocol/results.ts";
import { contextOf } from "../context.ts";
import { evidenceText } from "../evidence-text.ts";
import { fields, score } from "../format.ts";
import { groupText, promptText, repliesInFull } from "../group-text.ts";
import { printable } from "../printable.ts";
import type { AddVerb } from "../program.ts";
import type { Style } from "../style.ts";
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

function nodeText({ node, group, evidence }: Shown, style: Style): string[] {
  const verdict = node.verdict ?? "not scored yet";
  const rows: [string, string][] = [
    ["node", `${node.id}${node.best ? style.yellow(" ★ best") : ""}`],
    ["task", node.task],
    ["from", node.parent === null ? "the root of its tree" : `${node.parent}, goal ${node.goal}`],
    ["depth", String(node.depth)],
    ["verdict", node.score === null ? verdict : `${verdict}, score ${score(node.score)}`],
  ];
  if (node.quality !== null)
    rows.push([
      "quality",
      `${score(node.quality)}${node.qualitySE === null ? "" : ` ± ${score(node.qualitySE)}`}`,
    ]);
  if (node.snapshot !== null) rows.push(["snapshot", node.snapshot]);
  if (node.policy !== null) rows.push(["policy", node.policy]);
  if (node.feedback !== null) rows.push(["feedback", printable(node.feedback)]);
  return [
    ...fields(rows),
    ...(evidence === null ? [] : ["", ...evidenceText(evidence, node.verdict, style)]),
    ...(group === null ? [] : ["", ...groupText(group, style)]),
  ];
}
