/** **Export Training Data**: the informative iterations as files for a trainer. */
import { join } from "node:path";
import { ProgressLocation, Uri, window, workspace } from "vscode";
import { wroteText } from "../../client/words/export-text.ts";
import { type ExportFormat, exportFormats, formatNotes } from "../../protocol/results.ts";
import type { Session } from "../runner/session.ts";
import { given } from "./given.ts";

export async function exportTrainingData(session: Session): Promise<void> {
  const format = await chooseFormat();
  const out = await chooseFolder(session.folder);
  const report = await window.withProgress(
    { location: ProgressLocation.Window, title: "ExIt: exporting training data" },
    () => session.call("export", { out, task: null, format }),
  );
  await session.refreshExports();
  const left = Object.entries(report.dropped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${reason}`);
  const dropped = left.length > 0 ? ` Left out: ${left.join(", ")}.` : "";
  const show = "Show Card";
  const chosen = await window.showInformationMessage(`${wroteText(report)}.${dropped}`, show);
  if (chosen === show)
    await window.showTextDocument(
      await workspace.openTextDocument(Uri.file(join(report.folder, "README.md"))),
    );
}

async function chooseFormat(): Promise<ExportFormat> {
  const forms = exportFormats.map((format) => ({
    format,
    label: formatNotes[format].title,
    detail: formatNotes[format].meaning,
  }));
  const picked = await window.showQuickPick(forms, {
    title: "Export Training Data",
    placeHolder: "The form: who shall read it?",
    ignoreFocusOut: true,
  });
  return given(picked, "A form").format;
}

async function chooseFolder(workspaceFolder: string): Promise<string> {
  const inside = join(workspaceFolder, ".exit", "exports", stamp(new Date()));
  const own = { label: "$(folder) A new folder in .exit/exports", detail: inside };
  const other = {
    label: "$(folder-opened) Another folder…",
    detail: "Empty, or an earlier export, which is replaced",
  };
  const picked = await window.showQuickPick([own, other], {
    title: "Export Training Data",
    ignoreFocusOut: true,
  });
  if (given(picked, "A folder") === own) return inside;
  const [chosen] = given(
    await window.showOpenDialog({
      title: "Folder for the training data",
      openLabel: "Export here",
      canSelectFolders: true,
      canSelectFiles: false,
    }),
    "A folder",
  );
  return given(chosen, "A folder").fsPath;
}

/** `20260131-235959`, in local time. */
function stamp(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
