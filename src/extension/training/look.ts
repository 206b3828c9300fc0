/** Looking at what belongs to a row of Training: files, folders, facts. */
import { commands, env, Uri, window, workspace } from "vscode";
import { fields } from "../../client/words/format.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { Session } from "../runner/session.ts";
import { type Entry, factRows, rowOf, type View } from "./entry.ts";
import { exportsFolder } from "./exports.ts";

const modelFolder = ({ folder }: Session, id: string): Uri =>
  Uri.joinPath(Uri.file(folder), ".exit", "models", id);

/** One line for each update. @throws ExitError `no-metrics`. */
export async function showMetrics(session: Session, model: string): Promise<void> {
  const file = Uri.joinPath(modelFolder(session, model), "stage", "metrics.jsonl");
  const missing = `Tuned model ${model} has no metrics: its training has made no update yet.`;
  await show(file, new ExitError("no-metrics", missing));
}

/** What an export holds and where it came from. @throws ExitError `no-card`. */
export async function showCard(session: Session, name: string): Promise<void> {
  const file = Uri.joinPath(exportsFolder(session.folder), name, "README.md");
  await show(file, new ExitError("no-card", `The export ${name} has no README.md any more.`));
}

async function show(file: Uri, missing: ExitError): Promise<void> {
  const isThere = await workspace.fs.stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) throw missing;
  await window.showTextDocument(await workspace.openTextDocument(file));
}

export async function revealFolder(session: Session, entry: Entry | undefined): Promise<void> {
  if (entry?.kind === "model")
    await commands.executeCommand("revealInExplorer", modelFolder(session, entry.id));
  if (entry?.kind === "export")
    await commands.executeCommand("revealInExplorer", Uri.joinPath(exportsFolder(session.folder), entry.id));
}

export async function copyDetails(view: View, entry: Entry | undefined): Promise<void> {
  const row = entry === undefined ? null : rowOf(view, entry);
  if (entry === undefined || row === null) return;
  const lines = [row.spoken, ...fields(factRows(view, entry))];
  await env.clipboard.writeText(lines.join("\n"));
}
