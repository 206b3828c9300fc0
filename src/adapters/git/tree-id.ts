/** The id git gives a solution's tree, computed here, so that known content is recognised without a process. */
import { createHash } from "node:crypto";
import type { Solution, SolutionFile } from "../../core/ports.ts";

interface Folder {
  readonly files: Map<string, SolutionFile>;
  readonly folders: Map<string, Folder>;
}

const emptyFolder = (): Folder => ({ files: new Map(), folders: new Map() });

/** @returns 40 hexadecimal digits (SHA-1, git's object format). */
export function treeId(solution: Solution): string {
  const root = emptyFolder();
  for (const file of solution) {
    const parts = file.path.split("/");
    const name = parts.pop() ?? "";
    let folder = root;
    for (const part of parts) {
      const next = folder.folders.get(part) ?? emptyFolder();
      folder.folders.set(part, next);
      folder = next;
    }
    folder.files.set(name, file);
  }
  return hashFolder(root).toString("hex");
}

function hashFolder(folder: Folder): Buffer {
  const entries = [
    ...[...folder.files].map(([name, file]) => ({
      order: Buffer.from(name),
      head: `${file.executable ? "100755" : "100644"} ${name}\0`,
      id: hashObject("blob", file.bytes),
    })),
    // git orders a folder as if its name ended in a slash.
    ...[...folder.folders].map(([name, inner]) => ({
      order: Buffer.from(`${name}/`),
      head: `40000 ${name}\0`,
      id: hashFolder(inner),
    })),
  ].sort((a, b) => Buffer.compare(a.order, b.order));
  return hashObject("tree", Buffer.concat(entries.flatMap(({ head, id }) => [Buffer.from(head), id])));
}

function hashObject(type: "blob" | "tree", bytes: Uint8Array): Buffer {
  return createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest();
}
