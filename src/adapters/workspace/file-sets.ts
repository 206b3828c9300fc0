/** The file sets of a task as its patterns describe them, before they are held against each other. */
import type { Complaints } from "./complaints.ts";
import { type Entry, entryAt, mapLimited } from "./entries.ts";
import type { JsonPath } from "./json-text.ts";
import { type Pattern, readPattern, taskFileName } from "./patterns.ts";
import { skippedFolders } from "./walk.ts";

/** A file of a set and the pattern that brought it in. */
export interface Member {
  readonly entry: Entry;
  readonly pattern: string;
  /** Where that pattern stands in the task file. */
  readonly at: JsonPath;
}

export interface FileSet {
  /** How messages call it: `run.inputs`. */
  readonly name: string;
  readonly patterns: readonly Pattern[];
  /** By path, sorted. */
  readonly members: ReadonlyMap<string, Member>;
  /** May a path belong to it, whether it exists or not? */
  matches(path: string): boolean;
}

export interface SetSource {
  readonly name: string;
  readonly at: JsonPath;
  readonly patterns: readonly { readonly text: string; readonly at: JsonPath }[];
}

/** A list of patterns in the task file as the source of a set. */
export function listSource(name: string, at: JsonPath, patterns: readonly string[]): SetSource {
  return { name, at, patterns: patterns.map((text, index) => ({ text, at: [...at, index] })) };
}

/**
 * Finds the files of a set. Complains about patterns without a file, about what is not a regular file, and
 * about links that leave the workspace (or, for a strict set, about any link).
 * @param root real path of the workspace folder
 */
export async function findSet(
  root: string,
  source: SetSource,
  rules: { readonly links: "refused" | "inside"; readonly empty: "eachPattern" | "wholeSet" | "allowed" },
  complaints: Complaints,
): Promise<FileSet> {
  const patterns = await Promise.all(source.patterns.map(({ text }) => readPattern(root, text)));
  const members = new Map<string, Member>();
  let isEmpty = true;
  for (const [index, pattern] of patterns.entries()) {
    const at = source.patterns[index]?.at ?? source.at;
    const paths = await pattern.find();
    if (paths.length > 0) isEmpty = false;
    else if (rules.empty === "eachPattern" || (rules.empty === "wholeSet" && pattern.file !== null))
      complaints.add(at, absent(source.name, pattern));
    for (const entry of await mapLimited(
      paths.filter((path) => !members.has(path)),
      16,
      (path) => entryAt(root, path),
    )) {
      const fault = faultOf(entry, rules.links);
      if (fault === null) members.set(entry.path, { entry, pattern: pattern.source, at });
      else complaints.add(at, `${source.name}: ${entry.path} ${fault}`);
    }
  }
  if (isEmpty && rules.empty === "wholeSet" && patterns.every((pattern) => pattern.file === null))
    complaints.add(
      source.at,
      `${source.name} matches no file (${patterns.map(({ source }) => `"${source}"`).join(", ")}); paths are relative to the workspace folder`,
    );
  return {
    name: source.name,
    patterns,
    members: new Map([...members].sort(([a], [b]) => (a < b ? -1 : 1))),
    matches: (path) => patterns.some((pattern) => pattern.matches(path)),
  };
}

function absent(name: string, pattern: Pattern): string {
  if (pattern.file !== null && pattern.file.split("/").at(-1) === taskFileName)
    return `${name}: ${pattern.file} is a task file, which belongs to no set; take it out`;
  return pattern.file === null
    ? `${name}: "${pattern.source}" matches no file (${skippedFolders.join(", ")} are never looked into); correct the pattern or take it out`
    : `${name}: the file ${pattern.file} does not exist; create it or correct the path, which is relative to the workspace folder`;
}

function faultOf(entry: Entry, links: "refused" | "inside"): string | null {
  if (entry.link === "dangling") return "is a link that leads nowhere; put the file there or take it out";
  if (entry.link === "outside")
    return `is reached through a link that leaves the workspace (to ${entry.real}); copy the file into the workspace`;
  if (entry.link === "inside" && links === "refused")
    return "is reached through a link; name the file itself, since a revision must not be written through a link";
  if (entry.link === "inside" && entry.kind === "folder")
    return "is a link to a folder; name the folder itself, links are not followed";
  if (entry.kind === "missing") return "disappeared while the task was read; try again";
  if (entry.kind !== "file") return "is not a regular file; take it out";
  return null;
}
