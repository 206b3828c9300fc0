/** **Set Up Task**: asks what `exit-ml init` asks, writes the task file and opens it. */
import { join } from "node:path";
import { Uri, window, workspace } from "vscode";
import { type Ask, askForFlags, initRequestFrom } from "../../client/task-questions.ts";
import type { Session } from "../runner/session.ts";
import { given } from "./given.ts";

const ask: Ask = async (question, initial) =>
  given(
    await window.showInputBox({
      title: "Set Up Task",
      prompt: question,
      ignoreFocusOut: true,
      ...(initial === null ? {} : { value: initial }),
    }),
    "An answer",
  );

export async function setUpTask(session: Session): Promise<void> {
  const request = initRequestFrom(await askForFlags({}, session.folder, ask));
  const { file } = await session.call("init", request);
  await openFile(session.folder, file);
  void session.refresh();
}

/** Opens the task file, asking which where there are several. */
export async function openTask(session: Session): Promise<void> {
  const found = await workspace.findFiles("**/exit.task.json", "**/{node_modules,.exit}/**");
  const files = found.map((uri) => workspace.asRelativePath(uri, false)).sort();
  const [only, ...others] = files;
  if (only === undefined) return setUpTask(session);
  const file = others.length === 0 ? only : await window.showQuickPick(files, { title: "Open Task File" });
  await openFile(session.folder, given(file, "A task file"));
}

async function openFile(folder: string, file: string): Promise<void> {
  await window.showTextDocument(await workspace.openTextDocument(Uri.file(join(folder, file))));
}
