/** Which revision a command is about: the row it was called on, the selected row, or the one asked for. */
import { window } from "vscode";
import { score } from "../../client/words/format.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { ListedNode } from "../../protocol/results.ts";
import type { Entry } from "../history/entry.ts";
import type { HistoryIndex } from "../history/history-index.ts";
import { given } from "./given.ts";

/** @throws ExitError `nothing-scored`, `cancelled`. */
export async function chooseNode(
  entry: Entry | undefined,
  selected: string | null,
  history: HistoryIndex,
  title: string,
): Promise<ListedNode> {
  const named = entry?.kind === "node" ? entry.id : entry === undefined ? selected : null;
  const node = named === null ? undefined : history.get(named);
  if (node !== undefined) return node;
  const items = history
    .ranked()
    .filter(({ snapshot, parent }) => snapshot !== null && parent !== null)
    .map((candidate) => ({
      label: candidate.score === null ? (candidate.verdict ?? "") : score(candidate.score),
      description: [candidate.id, candidate.goal ?? "", history.isBest(candidate) ? "★ best" : ""]
        .filter((word) => word !== "")
        .join(" · "),
      candidate,
    }));
  if (items.length === 0)
    throw new ExitError("nothing-scored", "There is no revision yet. Iterate Solution makes some.");
  const picked = await window.showQuickPick(items, {
    title,
    placeHolder: "A revision, the best first",
    matchOnDescription: true,
  });
  return given(picked, "A revision").candidate;
}
