/** One SEARCH/REPLACE change of a reply, from its opening marker to its closing one. */
import { refuse } from "./refusal.ts";
import { closerLength, dividerLength, markersOf, type Opener, openerOf } from "./syntax.ts";

export interface Change {
  readonly search: readonly string[];
  readonly replace: readonly string[];
  /** A divider of the wrong length: trusted only if the file has no such line. */
  readonly doubtfulDivider: string | null;
  readonly repairs: readonly string[];
  /** Index of the line after the change. */
  readonly next: number;
}

/**
 * Reads the change whose SEARCH marker stands at `at`.
 * @throws Refusal if its end or its divider is missing or not certain.
 */
export function readChange(lines: readonly { readonly text: string }[], at: number, opener: Opener): Change {
  const markers = markersOf(opener.length);
  const textAt = (index: number): string => lines[index]?.text ?? "";
  const find = (from: number, test: (text: string) => boolean): number => {
    for (let index = from; index < lines.length; index++) if (test(textAt(index))) return index;
    return lines.length;
  };
  // Markers of another length are content, unless the change is written with short ones: then nothing was
  // quoted by length, and a slip in the count is likelier.
  const mayRepair = opener.length <= 7;
  const another = find(at + 1, (text) => {
    const length = openerOf(text)?.length ?? 0;
    return length === opener.length || (mayRepair && length > 0);
  });
  let end = find(at + 1, (text) => text.trimEnd() === markers.replace);
  let repaired = !opener.exact;
  if (mayRepair && (end > another || end === lines.length)) {
    end = find(at + 1, (text) => closerLength(text) > 0);
    repaired = true;
  }
  if (end === lines.length) return refuse("A SEARCH/REPLACE change is never closed.");
  if (end > another) return refuse("A SEARCH/REPLACE change begins inside another one.");

  const dividersWhere = (test: (length: number) => boolean): number[] => {
    const found: number[] = [];
    for (let index = at + 1; index < end; index++) if (test(dividerLength(textAt(index)))) found.push(index);
    return found;
  };
  let dividers = dividersWhere((length) => length === opener.length);
  let doubtfulDivider: string | null = null;
  if (dividers.length === 0 && mayRepair) {
    dividers = dividersWhere((length) => length > 0 && length <= 9);
    if (dividers[0] !== undefined) doubtfulDivider = textAt(dividers[0]);
  }
  const divider = dividers[0];
  if (divider === undefined) return refuse("A SEARCH/REPLACE change has no line of = between its parts.");
  if (dividers.length > 1)
    return refuse("A SEARCH/REPLACE change has several lines of = that could divide its parts.");
  return {
    search: lines.slice(at + 1, divider).map((line) => line.text),
    replace: lines.slice(divider + 1, end).map((line) => line.text),
    doubtfulDivider,
    repairs: repaired || doubtfulDivider !== null ? ["marker-variant"] : [],
    next: end + 1,
  };
}
