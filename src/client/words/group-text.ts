/** A group (one iteration) as lines of text. */
import type { Group } from "../../protocol/results.ts";
import { count, duration, fields, plural, score } from "./format.ts";
import { oneLine, printable } from "./printable.ts";
import type { Style } from "./style.ts";

export function groupText(group: Group, style: Style): string[] {
  const about: [string, string][] = [
    ["group", `${group.id} (iteration ${group.iteration + 1} of run ${group.run})`],
    ["task", group.task],
    ["start", `${group.start}${group.fromBuffer ? ", from the buffer" : ""}`],
    ["goal", `${group.goal} (strategy ${group.strategy})`],
    ["state", stateOf(group)],
    ["policy", group.policy],
    ["rewards", `${group.reward.rule}, lambda ${group.reward.lambda}`],
  ];
  return [...fields(about), "", ...repliesText(group, style)];
}

function stateOf(group: Group): string {
  if (group.state !== "closed") return group.state;
  const S = group.learnability === null ? "" : `, S ${score(group.learnability)}`;
  return `closed${S}${group.informative ? ", informative" : ""}`;
}

function repliesText(group: Group, style: Style): string[] {
  if (group.replies.length === 0) return ["no reply yet"];
  const rows = group.replies.map((reply) => [
    String(reply.index + 1),
    reply.verdict ?? "",
    reply.score === null ? "" : score(reply.score),
    reply.reward === null ? "" : score(reply.reward),
    reply.advantage === null ? "" : score(reply.advantage),
    reply.tokens === null ? "" : count(reply.tokens.length),
    duration(reply.ms),
    reply.edit?.kind ?? "",
    reply.node ?? oneLine(reply.edit?.problem ?? "", 40),
  ]);
  const head = ["reply", "verdict", "score", "reward", "advantage", "tokens", "time", "edit", "node"];
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [style.dim(line(head)), ...rows.map(line)];
}

/** The prompt as the model got it, message by message. */
export function promptText(group: Group, style: Style): string[] {
  return group.prompt.messages.flatMap((message) => [
    style.bold(`── ${message.role}`),
    printable(message.content),
  ]);
}

/** The texts of some members. */
export function repliesInFull(replies: Group["replies"], style: Style): string[] {
  return replies.flatMap((reply) => [
    style.bold(
      `── reply ${reply.index + 1} (${reply.verdict ?? "not scored yet"}, ${plural(reply.text.length, "character")})`,
    ),
    printable(reply.text),
  ]);
}
