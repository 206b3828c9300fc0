/**
 * A solution as a `git fast-import` stream. It carries bytes by their length and never touches a work tree or an
 * index, so no attribute, ignore rule, line-ending setting or link can change or hide a file.
 */
import type { Solution } from "../../core/ports.ts";

/**
 * One commit of exactly these files on the reference. The stream ends in `done`, so that one cut short is
 * dropped whole. git answers with two lines: the tree (`040000 tree ID<TAB>`) and the commit's id.
 * @param commit.parent id of the parent commit
 * @param commit.seconds time of the commit since 1970
 */
export function importStream(
  solution: Solution,
  commit: { readonly ref: string; readonly parent: string | null; readonly seconds: number },
): Buffer {
  const parts: (string | Uint8Array)[] = [
    "feature done\n",
    `commit ${commit.ref}\n`,
    "mark :1\n",
    `committer ExIt ML <exit-ml@localhost> ${commit.seconds} +0000\n`,
    data(Buffer.from("Snapshot\n")),
    "Snapshot\n\n",
    commit.parent === null ? "" : `from ${commit.parent}\n`,
    "deleteall\n",
  ];
  for (const file of solution) {
    parts.push(`M ${file.executable ? "100755" : "100644"} inline ${quoted(file.path)}\n`);
    parts.push(data(file.bytes), file.bytes, "\n");
  }
  parts.push('ls ""\n', "\n", "get-mark :1\n", "done\n");
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

const data = (bytes: Uint8Array): string => `data ${bytes.length}\n`;

function quoted(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
