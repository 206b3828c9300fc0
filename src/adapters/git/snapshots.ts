/**
 * The `Snapshots` port on a bare shadow repository. A snapshot's id is its tree id, so equal content is one
 * snapshot; the first save of a content makes a commit whose parent is its start's commit. The repository has no
 * index and no work tree, and the user's own repository is never opened.
 */
import { resolve } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { Snapshots, Solution } from "../../core/ports.ts";
import { type Git, hardenedGit } from "./git.ts";
import { importStream } from "./import-stream.ts";
import { limited } from "./limit.ts";
import { mergeSolutions } from "./merge.ts";
import { byPath, checkPaths } from "./paths.ts";
import { pruneSnapshots } from "./prune.ts";
import { readTree } from "./read-tree.ts";
import { recentSolutions } from "./recent.ts";
import { openRepository, type Repository } from "./repository.ts";
import { treeId } from "./tree-id.ts";

const recentBytes = 64 * 1024 * 1024;
const concurrentGits = 4;

/**
 * Opens the repository in `gitDir`, making it if absent. One process at a time may hold it (the workspace lock).
 * Solutions handed in or out are shared, not copied: their bytes must not be changed.
 * @throws ExitError `snapshots-unwritable`; saves also `path-refused`, `git-missing`, `git-failed`, `disk-full`.
 */
export async function openSnapshots(gitDir: string): Promise<Snapshots> {
  const folder = resolve(gitDir);
  const repository = await openRepository(folder);
  const git = queued(hardenedGit(folder));
  const recent = recentSolutions(recentBytes);
  const underWay = new Map<string, Promise<void>>();

  async function read(snapshot: string): Promise<Solution> {
    const known = recent.get(snapshot);
    if (known) return known;
    if ((await repository.commitOf(snapshot)) === null) throw missing(snapshot);
    const solution = await readIntact(git, repository, snapshot);
    recent.put(snapshot, solution);
    return solution;
  }

  async function store(solution: Solution, snapshot: string, parent: string | null): Promise<void> {
    if ((await repository.commitOf(snapshot)) !== null) return;
    const commit = parent === null ? null : await parentCommit(parent);
    // A reference that names no commit (left by a power cut) would be in git's way.
    await repository.forget(snapshot);
    await addCommit(git, repository.refOf(snapshot), { solution, snapshot, commit });
  }

  async function parentCommit(parent: string): Promise<string> {
    await underWay.get(parent)?.catch(() => {});
    const commit = await repository.commitOf(parent);
    if (commit === null) throw missing(parent);
    return commit;
  }

  return {
    async save(solution, parent) {
      checkPaths(solution);
      const snapshot = treeId(solution);
      const saving = underWay.get(snapshot) ?? store(solution, snapshot, parent);
      underWay.set(snapshot, saving);
      try {
        await saving;
      } finally {
        underWay.delete(snapshot);
      }
      recent.put(snapshot, [...solution].sort(byPath));
      return snapshot;
    },
    read,
    async diff(from, to) {
      for (const snapshot of [from, to]) {
        if ((await repository.commitOf(snapshot)) === null) throw missing(snapshot);
      }
      if (from === to) return "";
      const flags = ["-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"];
      return (await git.run(["diff-tree", ...flags, from, to])).text;
    },
    async merge(base, ours, theirs) {
      const sides = { base: await read(base), ours, theirs: await read(theirs) };
      return mergeSolutions(git, repository.temporary, sides);
    },
    prune: (keep, dryRun) => pruneSnapshots(git, repository, keep, dryRun !== undefined),
  };
}

function queued(git: Git): Git {
  const inTurn = limited(concurrentGits);
  return {
    run: (args, call) => inTurn(() => git.run(args, call)),
    catFiles: (ids) => inTurn(() => git.catFiles(ids)),
  };
}

async function addCommit(
  git: Git,
  ref: string,
  what: { readonly solution: Solution; readonly snapshot: string; readonly commit: string | null },
): Promise<void> {
  const seconds = Math.floor(Date.now() / 1000);
  const input = importStream(what.solution, { ref, parent: what.commit, seconds });
  const { text } = await git.run(["fast-import", "--quiet", "--force"], { input });
  if (!text.startsWith(`040000 tree ${what.snapshot}\t\n`)) {
    throw new Error(`git stored ${JSON.stringify(text)} where ${what.snapshot} was expected`);
  }
}

/** What git says of objects that are gone or spoilt, as opposed to a process that could not run. */
const objectTrouble =
  /not a tree object|not a valid object|bad (object|tree)|corrupt|missing|unable to (read|unpack)/i;

/**
 * Reads a snapshot and checks it against its id. One that lost objects (a disk that went away, a hand in the
 * folder) is forgotten, so that saving the content again mends it.
 */
async function readIntact(git: Git, repository: Repository, snapshot: string): Promise<Solution> {
  let cause: unknown = new Error("its content does not match its id");
  try {
    const solution = await readTree(git, snapshot);
    if (treeId(solution) === snapshot) return solution;
  } catch (error) {
    if (error instanceof ExitError && !objectTrouble.test(error.message)) throw error;
    cause = error;
  }
  await repository.forget(snapshot);
  throw new ExitError(
    "snapshot-missing",
    `Snapshot ${snapshot} is damaged and cannot be read: ${messageOf(cause)}. Choose another revision; its record stays in the history.`,
    { cause },
  );
}

function missing(snapshot: string): ExitError {
  return new ExitError(
    "snapshot-missing",
    `Snapshot ${JSON.stringify(snapshot)} is not stored in this workspace. Choose a revision of the history, or restore .exit/snapshots.git.`,
  );
}
