/**
 * Where a SEARCH text stands in a file. Whole lines only, and one place only: a text that is found nowhere or at
 * several places is refused, never guessed.
 */
import { refuse } from "./refusal.ts";

export interface Match {
  /** Index of the first matching line, and how many. */
  readonly at: number;
  readonly count: number;
  /** What goes in their place. */
  readonly replace: readonly string[];
  /** Rungs of the repair ladder taken. */
  readonly repairs: readonly string[];
}

interface Attempt {
  readonly repairs: readonly string[];
  readonly search: readonly string[];
  readonly replace: readonly string[];
  readonly same: "exact" | "spaces" | "indent";
}

/** @throws Refusal naming `path` if the place is not certain. `search` has at least one line. */
export function matchChange(
  file: readonly string[],
  change: { readonly search: readonly string[]; readonly replace: readonly string[] },
  path: string,
): Match {
  for (const attempt of attempts(change.search, change.replace)) {
    const places = placesOf(file, attempt);
    const at = places[0];
    if (places.length > 1)
      return refuse(`A SEARCH text matches ${places.length} places of ${path}; it must match exactly one.`);
    if (at === undefined) continue;
    const count = attempt.search.length;
    if (attempt.same !== "indent") return { at, count, replace: attempt.replace, repairs: attempt.repairs };
    const shift = shiftOf(file.slice(at, at + count), attempt.search);
    if (shift === null) continue;
    const replace = attempt.replace.map((line) => shifted(line, shift));
    if (replace.includes(null))
      return refuse(
        `The lines that replace a part of ${path} are indented less than the lines they replace.`,
      );
    return {
      at,
      count,
      replace: replace.filter((line): line is string => line !== null),
      repairs: attempt.repairs,
    };
  }
  return refuse(`A SEARCH text does not occur in ${path}.`);
}

/** How often `search` occurs letter by letter. */
export function exactPlaces(file: readonly string[], search: readonly string[]): number {
  return placesOf(file, { search, replace: [], repairs: [], same: "exact" }).length;
}

/** The rungs, from the letter to the freest reading. */
function* attempts(search: readonly string[], replace: readonly string[]): Generator<Attempt> {
  yield { search, replace, same: "exact", repairs: [] };
  const solid = search.some((line) => line.trim() !== "");
  if (!solid) return;
  yield { search, replace, same: "spaces", repairs: ["whitespace-insensitive-match"] };
  const trimmed = withoutOuterBlanks(search, replace);
  if (trimmed !== null) {
    yield { ...trimmed, same: "exact", repairs: ["blank-lines-trimmed"] };
    yield { ...trimmed, same: "spaces", repairs: ["blank-lines-trimmed", "whitespace-insensitive-match"] };
  }
  yield { search, replace, same: "indent", repairs: ["indent-shifted"] };
  if (trimmed !== null)
    yield { ...trimmed, same: "indent", repairs: ["blank-lines-trimmed", "indent-shifted"] };
}

function placesOf(file: readonly string[], attempt: Attempt): number[] {
  const { search, same } = attempt;
  const places: number[] = [];
  for (let at = 0; at + search.length <= file.length; at++) {
    const fits =
      same === "indent"
        ? shiftOf(file.slice(at, at + search.length), search) !== null
        : search.every((line, index) => equal(file[at + index] ?? "", line, same));
    if (fits) places.push(at);
  }
  return places;
}

function equal(a: string, b: string, same: "exact" | "spaces"): boolean {
  return a === b || (same === "spaces" && spacesFolded(a) === spacesFolded(b));
}

/** Indentation stays; runs of blanks inside the line are one blank; blanks at the end do not count. */
function spacesFolded(line: string): string {
  const text = line.trimEnd();
  const indent = indentOf(text);
  return indent + text.slice(indent.length).replace(/\s+/g, " ");
}

function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

interface Shift {
  readonly add: string;
  readonly remove: string;
}

/** The one change of indentation that turns `search` into `lines`; null if there is none. */
function shiftOf(lines: readonly string[], search: readonly string[]): Shift | null {
  let shift: Shift | null = null;
  for (const [index, wanted] of search.entries()) {
    const line = lines[index] ?? "";
    if ((line.trim() === "") !== (wanted.trim() === "")) return null;
    if (wanted.trim() === "") continue;
    if (line.trim() !== wanted.trim()) return null;
    const [has, says] = [indentOf(line), indentOf(wanted)];
    shift ??= has.endsWith(says)
      ? { add: has.slice(0, has.length - says.length), remove: "" }
      : { add: "", remove: says.slice(0, says.length - has.length) };
    if (shifted(wanted, shift)?.trimEnd() !== line.trimEnd()) return null;
  }
  return shift;
}

function shifted(line: string, shift: Shift): string | null {
  if (line.trim() === "") return line;
  if (!line.startsWith(shift.remove)) return null;
  return shift.add + line.slice(shift.remove.length);
}

/** Blank lines around SEARCH taken off, and as many around REPLACE; null if there are none. */
function withoutOuterBlanks(
  search: readonly string[],
  replace: readonly string[],
): { readonly search: readonly string[]; readonly replace: readonly string[] } | null {
  const isBlank = (line: string | undefined): boolean => line !== undefined && line.trim() === "";
  let [s, r] = [[...search], [...replace]];
  for (let side = 0; side < 2; side++) {
    while (isBlank(s[0])) {
      s.shift();
      if (isBlank(r[0])) r.shift();
    }
    [s, r] = [s.reverse(), r.reverse()];
  }
  return s.length === search.length ? null : { search: s, replace: r };
}
