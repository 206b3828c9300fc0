/** Where a workspace's state lives: `.exit/`, ignored by git, and nothing of ours anywhere else in the workspace. */
import { createHash } from "node:crypto";
import { mkdir, realpath, stat, statfs, writeFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { dirname, join } from "node:path";
import { ExitError } from "../core/errors.ts";

export interface StateFolders {
  /** The workspace folder, links resolved. */
  readonly workspace: string;
  /** `.exit/`, which holds everything below but perhaps the history. */
  readonly state: string;
  readonly history: string;
  readonly snapshots: string;
  /** Outputs of trials under way. */
  readonly outputs: string;
  /** Outputs that scored, for comparison with a suspicious evaluation. */
  readonly kept: string;
  readonly staging: string;
  readonly exports: string;
  /** A folder for each tuned model. */
  readonly models: string;
  readonly logs: string;
}

/** Types of statfs(2) on which SQLite's locks cannot be trusted: NFS, SMB, CIFS, SMB2, FUSE, 9P, AFS, Ceph. */
const networkFileSystems = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x5346414f, 0x00c36400,
]);

/** What is the user's and not a workspace's. */
export function userStateFolder(): string {
  const home = process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state");
  return join(home, "exit-ml");
}

/** What all runners of this machine share; a home folder may be shared by several machines. */
export function leasesFolder(): string {
  return join(userStateFolder(), "leases", hostname().replace(/[^\w.-]/g, "_"));
}

/** A folder of the user's own disk for the database of a workspace that lies elsewhere. */
function userState(workspace: string): string {
  return join(userStateFolder(), createHash("sha256").update(workspace).digest("hex").slice(0, 16));
}

/**
 * Makes the folders. On a network file system the database goes to the user's state folder.
 * @throws ExitError `workspace-missing`.
 */
export async function openStateFolders(folder: string): Promise<StateFolders> {
  let workspace: string;
  try {
    workspace = await realpath(folder);
    if (!(await stat(workspace)).isDirectory()) throw new Error("not a folder");
  } catch {
    throw new ExitError("workspace-missing", `${folder} is not a folder. Name the workspace with -C.`);
  }
  const state = join(workspace, ".exit");
  const isLocal = !networkFileSystems.has((await statfs(workspace)).type);
  const folders = {
    workspace,
    state,
    history: isLocal ? join(state, "history.db") : join(userState(workspace), "history.db"),
    snapshots: join(state, "snapshots.git"),
    outputs: join(state, "outputs"),
    kept: join(state, "kept"),
    staging: join(state, "staging"),
    exports: join(state, "exports"),
    models: join(state, "models"),
    logs: join(state, "logs"),
  };
  // Not its parents: a workspace that is deleted meanwhile must not come back.
  for (const path of [state, folders.outputs, folders.kept, folders.staging, folders.models])
    await make(path, folder);
  if (!isLocal) await mkdir(dirname(folders.history), { recursive: true });
  await writeFile(join(state, ".gitignore"), "*\n");
  return folders;
}

async function make(path: string, workspace: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT") throw error;
    throw new ExitError("workspace-missing", `${workspace} is not a folder. Name the workspace with -C.`);
  }
}
