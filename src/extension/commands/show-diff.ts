/** **Show Diff**: what a revision changes, in the editor's own diff. */
import { commands } from "vscode";
import { score } from "../../client/words/format.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { ListedNode } from "../../protocol/results.ts";
import type { Documents } from "../documents.ts";
import type { HistoryIndex } from "../history/history-index.ts";

/** @param against the start of the step, or the root of the tree */
export async function showDiff(
  node: ListedNode,
  against: "start" | "root",
  history: HistoryIndex,
  documents: Documents,
): Promise<void> {
  const above = history.ancestors(node);
  const from = against === "start" ? above[0] : above.at(-1);
  if (from === undefined)
    throw new ExitError(
      "no-start",
      `${node.id} is the root of its tree: it changes nothing. Choose a revision below it.`,
    );
  const [before, after] = await Promise.all([documents.files(from.id), documents.files(node.id)]);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort().filter((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    return old === undefined || now === undefined || Buffer.compare(old, now) !== 0;
  });
  const title = `${nameOf(from)} → ${nameOf(node)}`;
  if (paths.length === 0)
    throw new ExitError("no-difference", `${node.id} has the same files as ${from.id}.`);
  const sides = paths.map((path) => ({
    path,
    left: before.has(path) ? documents.fileUri(from.id, path) : undefined,
    right: after.has(path) ? documents.fileUri(node.id, path) : undefined,
  }));
  const [only] = sides;
  if (sides.length === 1 && only?.left !== undefined && only.right !== undefined)
    await commands.executeCommand("vscode.diff", only.left, only.right, `${only.path} (${title})`, {
      preview: true,
    });
  else
    await commands.executeCommand(
      "vscode.changes",
      title,
      sides.map(({ path, left, right }) => [documents.fileUri(node.id, path), left, right]),
    );
}

function nameOf({ id, score: value, parent }: ListedNode): string {
  const what = parent === null ? "root" : id;
  return value === null ? what : `${what} ${score(value)}`;
}
