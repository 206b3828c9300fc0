/** Removing snapshots that nobody needs any more, with the objects only they held. */
import type { Pruned } from "../../core/ports.ts";
import type { Git } from "./git.ts";
import type { Repository } from "./repository.ts";

/**
 * References go before objects, so that a kill in between leaves nothing that names a missing object; the next call
 * removes the rest. Ancestors of a snapshot that is kept stay, as history.
 */
export async function pruneSnapshots(
  git: Git,
  repository: Repository,
  keep: ReadonlySet<string>,
  dryRun: boolean,
): Promise<Pruned> {
  const listed = await git.run([
    "for-each-ref",
    "--format=%(objectname) %(refname:lstrip=2)",
    repository.refOf(""),
  ]);
  const refs = lines(listed.text).map((line) => {
    const [commit = "", tree = ""] = line.split(" ");
    return { commit, tree };
  });
  const unneeded = refs.filter(({ tree }) => !keep.has(tree));
  const kept = refs.filter(({ tree }) => keep.has(tree)).map(({ commit }) => commit);
  const bytes = await bytesBeyond(git, kept);
  if (!dryRun) {
    if (unneeded.length > 0) {
      const deletions = unneeded.map(({ tree }) => `delete ${repository.refOf(tree)}\n`).join("");
      await git.run(["update-ref", "--stdin"], { input: Buffer.from(deletions) });
      for (const { tree } of unneeded) await repository.forget(tree);
    }
    await repository.forgetEmpty();
    if (bytes > 0) {
      // First what needs no space: the disk may be full. Packs are made by nobody but a user's own `git gc`.
      await git.run(["prune", "--expire=now"]);
      if (await hasPacks(git)) await git.run(["repack", "-a", "-d", "-q"]);
    }
  }
  return { snapshots: unneeded.length, bytes };
}

/** Bytes on the disk of all objects that these commits do not reach. */
async function bytesBeyond(git: Git, commits: readonly string[]): Promise<number> {
  const reached = new Set<string>();
  if (commits.length > 0) {
    const input = Buffer.from(commits.map((commit) => `${commit}\n`).join(""));
    const { text } = await git.run(["rev-list", "--objects", "--no-object-names", "--stdin"], { input });
    for (const id of lines(text)) reached.add(id);
  }
  const format = "--batch-check=%(objectname) %(objectsize:disk)";
  const { text } = await git.run(["cat-file", "--batch-all-objects", format]);
  let bytes = 0;
  for (const line of lines(text)) {
    const [id = "", size] = line.split(" ");
    if (!reached.has(id)) bytes += Number(size);
  }
  return bytes;
}

async function hasPacks(git: Git): Promise<boolean> {
  const { text } = await git.run(["count-objects", "-v"]);
  return !/^packs: 0$/m.test(text);
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
