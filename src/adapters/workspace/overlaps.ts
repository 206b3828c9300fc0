/** Which files two sets share, under the same name or under another one (a link or a hard link). */
import type { FileSet, Member } from "./file-sets.ts";

export interface Overlap {
  readonly member: Member;
  /** The other set's pattern or file. */
  readonly other: string;
  /** The other set's name for the same file, if it differs. */
  readonly alias: string | null;
}

/** Members of `set` that also belong to `other`: by path, by pattern or by being the same file. */
export function overlapsOf(set: FileSet, other: FileSet): Overlap[] {
  const byIdentity = new Map([...other.members.values()].map((member) => [member.entry.identity, member]));
  return [...set.members.values()].flatMap((member): Overlap[] => {
    const { path, identity } = member.entry;
    const same = other.members.get(path);
    if (same) return [{ member, other: same.pattern, alias: null }];
    const pattern = other.patterns.find((candidate) => candidate.matches(path));
    if (pattern) return [{ member, other: pattern.source, alias: null }];
    const twin = byIdentity.get(identity);
    return twin ? [{ member, other: twin.pattern, alias: twin.entry.path }] : [];
  });
}

export function overlapSentence(set: FileSet, other: FileSet, overlap: Overlap, mend: string): string {
  const { member, alias } = overlap;
  const second =
    alias === null
      ? `to ${other.name} ("${overlap.other}")`
      : `as ${alias} to ${other.name} ("${overlap.other}"), since both names are one file`;
  return `${member.entry.path} belongs to ${set.name} ("${member.pattern}") and ${second}; ${mend}`;
}
