/**
 * The files of the shadow repository that are ours to write: its frame, and one reference per snapshot
 * (`refs/exit/TREE`, holding the commit), which keeps the objects reachable and names a later child's parent.
 * The frame is written, not made by `git init`, so that no template and no default of the installed git (hash,
 * reference format) gets in; and it is written at every opening, because a workspace may come from a stranger.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";

/**
 * `fsync`: a save outlives a power cut, as does the history that names it; git's own default leaves loose objects to
 * the kernel, and a run would then start from a revision that is gone. `batch`: one flush for all objects of a save.
 */
const config = `[core]
	repositoryformatversion = 0
	bare = true
	fileMode = true
	autocrlf = false
	safecrlf = false
	quotePath = false
	logAllRefUpdates = false
	hooksPath = /dev/null
	fsmonitor = false
	fsync = loose-object,reference
	fsyncMethod = batch
[gc]
	auto = 0
[maintenance]
	auto = false
[fastimport]
	unpackLimit = 100000
`;

/** `info/attributes` outranks any `.gitattributes`. */
const attributes = "* -text -filter -ident -working-tree-encoding !diff !merge\n";

/** What could bring in configuration, hooks or objects of someone else, or was left by a killed process. */
const unwanted = [
  "commondir",
  "config.worktree",
  "config.lock",
  "hooks",
  "info/grafts",
  "shallow",
  "objects/info/alternates",
  "packed-refs.lock",
  "tmp",
];

const refFolder = "refs/exit";
const objectId = /^[0-9a-f]{40}$/;

export interface Repository {
  /** Where short-lived work may be done; exists. */
  readonly temporary: string;
  refOf(tree: string): string;
  /** The commit of a snapshot, or null if it is not stored. One small read, no process. */
  commitOf(tree: string): Promise<string | null>;
  /** Removes the reference of a snapshot that is damaged, so that a save stores it anew. */
  forget(tree: string): Promise<void>;
  /** Removes references that name nothing (left by a power cut), over which git gives up. */
  forgetEmpty(): Promise<void>;
}

/** Makes or repairs the frame and sweeps up. @throws ExitError `snapshots-unwritable`. */
export async function openRepository(gitDir: string): Promise<Repository> {
  const temporary = join(gitDir, "tmp");
  try {
    await Promise.all(unwanted.map((name) => rm(join(gitDir, name), { recursive: true, force: true })));
    for (const name of ["objects/pack", "objects/info", "info", refFolder, "tmp"]) {
      await mkdir(join(gitDir, name), { recursive: true });
    }
    await replace(join(gitDir, "config"), config);
    await replace(join(gitDir, "info/attributes"), attributes);
    await replace(join(gitDir, "HEAD"), "ref: refs/heads/none\n");
    await sweep(gitDir, "", /^fast_import_crash_/);
    await sweep(gitDir, "objects/pack", /^tmp_/);
    await sweep(gitDir, refFolder, /\.lock$/);
  } catch (error) {
    throw new ExitError(
      "snapshots-unwritable",
      `The snapshot folder ${gitDir} cannot be used: ${messageOf(error)}. Make it writable, or move it aside to begin with an empty one.`,
      { cause: error },
    );
  }
  const packed = await packedRefs(gitDir);

  return {
    temporary,
    refOf: (tree) => `${refFolder}/${tree}`,
    async commitOf(tree) {
      if (!objectId.test(tree)) return null;
      const text = await readFile(join(gitDir, refFolder, tree), "utf8").catch(() => "");
      const commit = text.trim();
      return objectId.test(commit) ? commit : (packed.get(tree) ?? null);
    },
    async forget(tree) {
      packed.delete(tree);
      await rm(join(gitDir, refFolder, tree), { force: true });
    },
    async forgetEmpty() {
      // git itself removes the folder with the last reference in it.
      for (const name of await readdir(join(gitDir, refFolder)).catch(() => [])) {
        const file = join(gitDir, refFolder, name);
        const text = await readFile(file, "utf8").catch(() => "");
        if (!objectId.test(text.trim())) await rm(file, { recursive: true, force: true });
      }
    },
  };
}

/** References somebody packed by hand (`git gc`). */
async function packedRefs(gitDir: string): Promise<Map<string, string>> {
  const text = await readFile(join(gitDir, "packed-refs"), "utf8").catch(() => "");
  const found = text.matchAll(/^([0-9a-f]{40}) refs\/exit\/([0-9a-f]{40})$/gm);
  return new Map([...found].map(([, commit = "", tree = ""]) => [tree, commit]));
}

async function replace(file: string, text: string): Promise<void> {
  if ((await readFile(file, "utf8").catch(() => null)) === text) return;
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

async function sweep(gitDir: string, folder: string, name: RegExp): Promise<void> {
  for (const entry of await readdir(join(gitDir, folder))) {
    if (name.test(entry)) await rm(join(gitDir, folder, entry), { recursive: true, force: true });
  }
}
