/** Reading a stored solution: one process lists the tree, one prints its blobs. */
import type { Solution, SolutionFile } from "../../core/ports.ts";
import type { Git } from "./git.ts";
import { byPath } from "./paths.ts";

/** The files of a tree, sorted by path. @throws if an object is missing or is no regular file. */
export async function readTree(git: Git, tree: string): Promise<Solution> {
  const { text } = await git.run(["ls-tree", "-r", "-z", "--full-tree", tree]);
  const entries = text
    .split("\0")
    .filter((line) => line !== "")
    .map(entryOf);
  if (entries.length === 0) return [];
  const blobs = parseBatch(await git.catFiles(entries.map(({ id }) => id)));
  return entries
    .map(({ path, executable }, index): SolutionFile => {
      const bytes = blobs[index];
      if (bytes === undefined) throw new Error(`the bytes of ${path} are missing`);
      return { path, bytes, executable };
    })
    .sort(byPath);
}

function entryOf(line: string): { readonly path: string; readonly id: string; readonly executable: boolean } {
  const [, mode, id, path] = /^(\d+) \w+ ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? [];
  if (id === undefined || path === undefined || (mode !== "100644" && mode !== "100755")) {
    throw new Error(`the entry ${JSON.stringify(line)} is no regular file`);
  }
  return { path, id, executable: mode === "100755" };
}

/** Output of `cat-file --batch`: `ID blob SIZE<LF>BYTES<LF>`, repeated in the order asked. */
function parseBatch(output: Buffer): Uint8Array[] {
  const blobs: Uint8Array[] = [];
  for (let at = 0; at < output.length; ) {
    const lineEnd = output.indexOf("\n", at);
    const head = output.toString("latin1", at, lineEnd);
    const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(head)?.[1]);
    if (!Number.isInteger(size)) throw new Error(`git answered ${JSON.stringify(head)}`);
    const start = lineEnd + 1;
    // A copy of its own: a slice would keep the whole output alive.
    blobs.push(new Uint8Array(output.subarray(start, start + size)));
    at = start + size + 1;
  }
  return blobs;
}
