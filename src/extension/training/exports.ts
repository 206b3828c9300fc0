/** The folders that Export Training Data made in the workspace. */
import { FileType, Uri, workspace } from "vscode";

export const exportsFolder = (folder: string): Uri => Uri.joinPath(Uri.file(folder), ".exit", "exports");

/** Names, the newest first: they begin with their time. Empty where nothing was exported yet. */
export async function listExports(folder: string): Promise<readonly string[]> {
  try {
    const entries = await workspace.fs.readDirectory(exportsFolder(folder));
    return entries
      .filter(([name, type]) => type === FileType.Directory && !name.includes(".unfinished-"))
      .map(([name]) => name)
      .sort()
      .reverse();
  } catch {
    return [];
  }
}
