/** **Show Prompt and Reply**: the step that made a revision, as one document. */
import { languages, window, workspace } from "vscode";
import { promptText, repliesInFull } from "../../client/words/group-text.ts";
import { nodeText } from "../../client/words/node-text.ts";
import { makeStyle } from "../../client/words/style.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { Documents } from "../documents.ts";
import { languageIds } from "../ids.ts";
import type { Session } from "../runner/session.ts";

export async function showPromptAndReply(
  session: Session,
  node: string,
  documents: Documents,
): Promise<void> {
  const shown = await session.call("show", { node, task: null });
  const { group } = shown;
  if (group === null)
    throw new ExitError("root-unwritten", `${node} is the root of its tree: no model wrote it.`);
  const plain = makeStyle(false);
  const own = group.replies.filter((reply) => reply.node === node);
  const lines = [
    ...nodeText(shown, plain),
    "",
    "Prompt",
    "======",
    ...promptText(group, plain),
    "",
    "Reply",
    "=====",
    ...repliesInFull(own, plain),
  ];
  const uri = documents.text(`${node} prompt and reply`, `${lines.join("\n")}\n`);
  const document = await languages.setTextDocumentLanguage(
    await workspace.openTextDocument(uri),
    languageIds.step,
  );
  await window.showTextDocument(document, { preview: true });
}
