/** `exit-ml clean`: removes what nothing needs, kind by kind, and tells what was freed. Rows of the history stay. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { ResolvedTask, Sandbox, Snapshots, Store, Workspace } from "../core/ports.ts";
import type { CleanReport, Freed, FreedKind } from "../core/reports.ts";
import { remove } from "./disk-use.ts";
import { keptName } from "./kept-outputs.ts";
import type { StateFolders } from "./state.ts";
import { isWeights } from "./tuning/tidy.ts";

export interface CleanParts {
  readonly folders: StateFolders;
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly store: Pick<
    Store,
    "nodes" | "runs" | "openGroups" | "applied" | "buffer" | "evaluations" | "tuning"
  >;
  readonly reapSandbox: (dryRun?: "dryRun") => ReturnType<Sandbox["reap"]>;
  /** Milliseconds since 1970, as files have them. */
  readonly now: number;
}

export interface CleanRequest {
  /** Only tell. */
  readonly dryRun: boolean;
  /** Exports in `.exit/exports` too. */
  readonly exports: boolean;
}

const day = 24 * 3600 * 1000;
/** Logs are looked at after a bad night, not after a month; and no log of ours grows beyond the bound by itself. */
const oldLog = 30 * day;
const longLog = 10 * 2 ** 20;

/** Called with nothing else under way in the workspace. */
export async function clean(request: CleanRequest, parts: CleanParts): Promise<CleanReport> {
  const { folders } = parts;
  const dryRun = request.dryRun ? "dryRun" : undefined;
  const notes: string[] = [];
  const freed: Freed[] = [];
  const removeAll = async (kind: FreedKind, paths: readonly string[]): Promise<void> => {
    let bytes = 0;
    for (const path of paths) bytes += await remove(path, dryRun);
    freed.push({ kind, count: paths.length, bytes });
  };

  // First of all: it lets go of what the last trials left to be tidied up.
  try {
    const { containers, volumes } = await parts.reapSandbox(dryRun);
    freed.push({ kind: "containers", count: containers, bytes: null });
    freed.push({ kind: "volumes", count: volumes, bytes: null });
  } catch (error) {
    notes.push(`Containers and volumes were not looked for. ${messageOf(error)}`);
  }
  const { tasks, problems } = await currentTasks(parts.workspace);
  const staged = new Set(tasks.flatMap((task) => [task.inputs.digest, task.hidden.digest]));
  // Staged data comes back when it is needed, kept outputs do not: those of a task that cannot be read just now stay.
  await removeAll("staging", await entriesBut(folders.staging, (name) => staged.has(name)));
  if (problems.length > 0)
    notes.push(`Kept outputs were left alone, for not every task can be read: ${problems.join(" ")}`);
  const kept = new Set(tasks.flatMap((task) => [keptName(task, "root"), keptName(task, "newest")]));
  await removeAll("kept", await entriesBut(folders.kept, (name) => problems.length > 0 || kept.has(name)));
  // What begins with a dot is the sandbox's own affair.
  await removeAll("outputs", await entriesBut(folders.outputs, (name) => name.startsWith(".")));
  await removeAll("logs", await oldLogs(folders.logs, parts.now));
  const unfinished = (name: string): boolean => name.includes(".unfinished-");
  const leftovers = await Promise.all(
    [folders.state, folders.exports, folders.models].map((folder) =>
      entriesBut(folder, (name) => !unfinished(name)),
    ),
  );
  await removeAll("unfinished", leftovers.flat());
  await removeAll("models", await failedWeights(folders.models, parts.store));
  if (request.exports) await removeAll("exports", await entriesBut(folders.exports, unfinished));

  try {
    const { snapshots, bytes } = await parts.snapshots.prune(neededSnapshots(parts.store), dryRun);
    freed.push({ kind: "snapshots", count: snapshots, bytes });
  } catch (error) {
    notes.push(`Snapshots were left alone. ${messageOf(error)}`);
  }
  return { dryRun: request.dryRun, freed, notes };
}

/** Of every node, of replies that are not nodes yet, of chains to go on from, and of what the user may take back. */
function neededSnapshots(store: CleanParts["store"]): Set<string> {
  const applied = store.applied();
  const open = store.runs().flatMap((run) => store.openGroups(run.id).map(({ group }) => group));
  const ids = [
    ...store.nodes().map((node) => node.snapshot),
    ...store.buffer().flatMap((entry) => entry.snapshot ?? []),
    ...open.flatMap((group) => [group.startSnapshot, ...group.replies.map((reply) => reply.snapshot)]),
    ...store.evaluations.snapshots(),
    ...(applied === null ? [] : [applied.before, applied.after]),
  ];
  return new Set(ids.filter((id) => id !== null));
}

/** Weights and checkpoints of tuned models that are of no use; their records, exports and curves stay. */
async function failedWeights(
  folder: string,
  { tuning }: Pick<CleanParts["store"], "tuning">,
): Promise<string[]> {
  const found: string[] = [];
  for (const { id, failed } of tuning.models()) {
    if (failed === null) continue;
    const own = join(folder, id);
    found.push(...(await entriesBut(own, (name) => !isWeights(name))));
    found.push(...(await entriesBut(join(own, "stage"), (name) => name !== "checkpoint")));
  }
  return found;
}

async function currentTasks(
  workspace: Workspace,
): Promise<{ readonly tasks: readonly ResolvedTask[]; readonly problems: readonly string[] }> {
  const { tasks: named, problems } = await workspace.tasks();
  const tasks: ResolvedTask[] = [];
  const unread = [...problems];
  for (const { name } of named) {
    try {
      tasks.push(await workspace.resolve(name));
    } catch (error) {
      unread.push(messageOf(error));
    }
  }
  return { tasks, problems: unread };
}

/** Absolute paths of what is in a folder, without the names that stay. No folder: nothing. */
async function entriesBut(folder: string, stays: (name: string) => boolean): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !stays(name)).map((name) => join(folder, name));
}

async function oldLogs(folder: string, now: number): Promise<string[]> {
  const old: string[] = [];
  for (const path of await entriesBut(folder, (name) => name === "runner.log")) {
    const { mtimeMs, size } = await stat(path);
    if (now - mtimeMs > oldLog || size > longLog) old.push(path);
  }
  return old;
}
