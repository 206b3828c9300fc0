/** **Apply Revision** and **Revert Apply**. */
import { window } from "vscode";
import { plural } from "../../client/words/format.ts";
import type { Session } from "../runner/session.ts";

export async function applyRevision(session: Session, node: string): Promise<void> {
  const { paths, merged } = await session.call("apply", { node, task: null });
  await session.refreshStatus();
  if (paths.length === 0) {
    void window.showInformationMessage(`The workspace has the files of ${node} already.`);
    return;
  }
  const how = merged ? ", merged with your changes" : "";
  const revert = "Revert";
  const chosen = await window.showInformationMessage(`Applied ${node}${how}: ${named(paths)}.`, revert);
  if (chosen === revert) await revertApply(session);
}

export async function revertApply(session: Session): Promise<void> {
  const { node, paths } = await session.call("revert", {});
  await session.refreshStatus();
  void window.showInformationMessage(`Took back ${node}: ${named(paths)}.`);
}

function named(paths: readonly string[]): string {
  return paths.length <= 3 ? paths.join(", ") : plural(paths.length, "file");
}
