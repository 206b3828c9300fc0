/** Where the read-only data of a revision is mounted. */

const glob = /[*?[\]{}()!+@]/;

/** The folders an output pattern names before its first wildcard; of a plain file, its folder. */
function fixedFolder(pattern: string): string {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => glob.test(part));
  return parts.slice(0, wild === -1 ? parts.length - 1 : wild).join("/");
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Every folder above a path, outermost first, the working directory itself left out. */
export function foldersAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/**
 * The fewest paths whose mounting brings `inputs` into the working directory without covering a solution file
 * or a folder in which outputs are expected: whole folders where possible, else single files.
 */
export function mountPoints(
  inputs: readonly string[],
  solution: readonly string[],
  outputs: readonly string[],
): string[] {
  const kept = [...solution, ...outputs.map(fixedFolder)];
  const points = inputs.map(
    (input) => foldersAbove(input).find((folder) => !kept.some((path) => within(path, folder))) ?? input,
  );
  return [...new Set(points)];
}

/**
 * What must be read from the working directory to see every output: first path components, or `null` for all of
 * it if a pattern begins with a wildcard.
 */
export function outputRoots(patterns: readonly string[]): string[] | null {
  const roots = patterns.map((pattern) => pattern.split("/")[0] ?? "");
  return roots.some((root) => glob.test(root)) ? null : [...new Set(roots)];
}
