/** A node of the history as lines of text: what it is, what the sandbox saw, the group that made it. */
import type { Shown } from "../../protocol/results.ts";
import { evidenceText } from "./evidence-text.ts";
import { fields, score } from "./format.ts";
import { groupText } from "./group-text.ts";
import { printable } from "./printable.ts";
import type { Style } from "./style.ts";

const notComparable = " (not comparable: the task was edited since)";

export function nodeText({ node, group, evidence }: Shown, style: Style): string[] {
  const verdict = node.verdict ?? "not scored yet";
  const rows: [string, string][] = [
    ["node", `${node.id}${node.best ? style.yellow(" ★ best") : ""}`],
    ["task", node.task],
    ["from", node.parent === null ? "the root of its tree" : `${node.parent}, goal ${node.goal}`],
    ["depth", String(node.depth)],
    [
      "verdict",
      `${verdict}${node.score === null ? "" : `, score ${score(node.score)}`}${node.comparable ? "" : notComparable}`,
    ],
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
