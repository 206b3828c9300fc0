/** Where a workspace's state lives: `.exit/`, ignored by git, and nothing of ours anywhere else. */
import { mkdir, realpath, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitError } from "../core/errors.ts";

export interface StateFolders {
  /** The workspace folder, links resolved. */
  readonly workspace: string;
  readonly history: string;
  readonly snapshots: string;
  /** Outputs of trials under way. */
  readonly outputs: string;
  /** Outputs that scored, for comparison with a suspicious evaluation. */
  readonly kept: string;
  readonly staging: string;
  readonly exports: string;
}

/** @throws ExitError `workspace-missing`. */
export async function openStateFolders(folder: string): Promise<StateFolders> {
  let workspace: string;
  try {
    workspace = await realpath(folder);
    if (!(await stat(workspace)).isDirectory()) throw new Error("not a folder");
  } catch {
    throw new ExitError("workspace-missing", `${folder} is not a folder. Name the workspace with -C.`);
  }
  const state = join(workspace, ".exit");
  const folders = {
    workspace,
    history: join(state, "history.db"),
    snapshots: join(state, "snapshots.git"),
    outputs: join(state, "outputs"),
    kept: join(state, "kept"),
    staging: join(state, "staging"),
    exports: join(state, "exports"),
  };
  for (const path of [state, folders.kept, folders.staging]) await mkdir(path, { recursive: true });
  await writeFile(join(state, ".gitignore"), "*\n");
  return folders;
}
