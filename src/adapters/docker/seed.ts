/** The archive that brings a solution into its working directory. */
import { pack } from "tar-stream";
import type { Solution } from "../../core/ports.ts";
import { foldersAbove } from "./mounts.ts";
import { uid } from "./recipe.ts";

/** Fixed, so that the same solution is the same bytes; after 1980, which zip files cannot go below. */
const modified = new Date("2000-01-01T00:00:00Z");

/**
 * A plain tar of the solution files, owned by the user the command runs as. The folders above the mount points of
 * the inputs are made too: left to the engine they would belong to root, and the command could write nothing there.
 */
export async function seedArchive(solution: Solution, points: readonly string[]): Promise<Buffer> {
  const tar = pack();
  const owned = { uid, gid: uid, mtime: modified };
  const folders = new Set([...solution.map((file) => file.path), ...points].flatMap(foldersAbove));
  for (const folder of [...folders].sort())
    tar.entry({ ...owned, name: folder, type: "directory", mode: 0o755 });
  for (const file of solution)
    tar.entry(
      { ...owned, name: file.path, type: "file", mode: file.executable ? 0o755 : 0o644 },
      Buffer.from(file.bytes),
    );
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
