/** Replies in the documented syntax become exactly the edit they say (DESIGN.md section 9, last row). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fenceFor } from "../../../src/core/reply/syntax.ts";
import { read, solutionOf, textsOf } from "./fixtures.ts";
import { renderChange, renderWhole } from "./render.ts";

const path = "solution/train.py";

/** Lines that tempt a reader to misread them. */
const nastyLine = fc.constantFrom(
  "",
  "    ",
  "\treturn x  ",
  "import os",
  "x = 1",
  "    x = 1",
  "```",
  "```python",
  "````",
  "~~~",
  "=======",
  "========",
  "=====",
  "$& $1 $` $' $$ \\1 \\n",
  "(a|b)*[c]^{2}?.+\\",
  "<think>",
  "</think>",
  "# ünïcødé 漢字 🙂 é",
  "FILE: solution/other.py",
  "### solution/other.py",
  "--- a/x",
  '{"a": 1}',
  "<<<<<<<",
);
const randomLine = fc
  .string({ unit: "grapheme", maxLength: 30 })
  .map((line) => line.replace(/[\r\n\0]/g, " "));
const line = fc.oneof({ weight: 3, arbitrary: nastyLine }, { weight: 2, arbitrary: randomLine });
const markerLine = fc.constantFrom(
  "<<<<<<< SEARCH",
  ">>>>>>> REPLACE",
  ">>>>>>>> REPLACE",
  "<<<<<<<< SEARCH",
);
const lines = fc.array(line, { maxLength: 12 });

/** How the start's file is written on disk. */
const layout = fc.record({ eol: fc.constantFrom("\n", "\r\n"), final: fc.boolean(), bom: fc.boolean() });
type Layout = { eol: string; final: boolean; bom: boolean };

/** A file on disk. A single empty line without a line end cannot be told from an empty file. */
function onDisk(texts: readonly string[], { eol, final, bom }: Layout): string {
  return (bom ? "\ufeff" : "") + texts.join(eol) + (final && texts.length > 0 ? eol : "");
}

const prose = fc.constantFrom(
  "",
  "Sure! I will raise the accuracy.\n\n",
  "The current approach is a tree.\n\n",
);
const epilogue = fc.constantFrom("", "\n", "\n\nThis should score better.\n");

describe("a reply in the documented syntax", () => {
  test("writes a whole file exactly, whatever is in it, in the file's own line ends", () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        lines,
        layout,
        prose,
        epilogue,
        (before, after, disk, intro, outro) => {
          fc.pre(before.join("").length > 0 && (disk.final || (before.at(-1) !== "" && after.at(-1) !== "")));
          const start = solutionOf({ [path]: onDisk(before, disk), "solution/keep.md": "kept\r\n" });
          // Line ends are the file's: those of a file of one line without an end are not known.
          const eol = before.length === 1 && !disk.final ? "\n" : disk.eol;
          const result = read(intro + renderWhole(path, after, "python") + outro, start);
          expect(result.edit.problem).toBeNull();
          expect(result.edit.repairs).toEqual([]);
          expect(textsOf(result.solution)).toEqual({
            [path]: onDisk(after, { ...disk, eol }),
            "solution/keep.md": "kept\r\n",
          });
          expect(result.edit.kind === "unchanged").toBe(result.solution === start);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("changes exactly the lines it names and no others", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 8, arbitrary: line }, { weight: 1, arbitrary: markerLine }), {
          minLength: 1,
          maxLength: 14,
        }),
        fc.array(fc.oneof({ weight: 8, arbitrary: line }, { weight: 1, arbitrary: markerLine }), {
          maxLength: 6,
        }),
        fc.nat(),
        fc.nat(),
        layout,
        prose,
        epilogue,
        (before, replace, a, b, disk, intro, outro) => {
          const at = a % before.length;
          const count = 1 + (b % (before.length - at));
          const search = before.slice(at, at + count);
          fc.pre(before.join("").length > 0 && placesOf(before, search) === 1);
          const after = [...before.slice(0, at), ...replace, ...before.slice(at + count)];
          fc.pre(!(after.at(-1) === "" && !disk.final) && !(before.at(-1) === "" && !disk.final));
          const eol = before.length === 1 && !disk.final ? "\n" : disk.eol;
          const start = solutionOf({ [path]: onDisk(before, disk) });
          const result = read(`${intro}FILE: ${path}\n${renderChange(search, replace)}${outro}`, start);
          expect(result.edit.problem).toBeNull();
          expect(result.edit.repairs).toEqual([]);
          expect(textsOf(result.solution)).toEqual({ [path]: onDisk(after, { ...disk, eol }) });
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("takes several changes of several files at once", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(line, { minLength: 4, maxLength: 10 }),
        fc.uniqueArray(line, { minLength: 2, maxLength: 6 }),
        lines,
        lines,
        lines,
        (one, two, first, last, other) => {
          const start = solutionOf({
            "solution/a.py": onDisk(one, { eol: "\n", final: true, bom: false }),
            "solution/b.py": onDisk(two, { eol: "\r\n", final: true, bom: false }),
          });
          const reply = [
            "FILE: solution/a.py",
            renderChange(one.slice(-1), last),
            "",
            renderChange(one.slice(0, 2), first),
            "",
            renderWhole("solution/b.py", other),
          ].join("\n");
          const result = read(reply, start);
          expect(result.edit.problem).toBeNull();
          expect(textsOf(result.solution)).toEqual({
            "solution/a.py": onDisk([...first, ...one.slice(2, -1), ...last], {
              eol: "\n",
              final: true,
              bom: false,
            }),
            "solution/b.py": onDisk(other, { eol: "\r\n", final: true, bom: false }),
          });
        },
      ),
      { numRuns: 400 },
    );
  });

  test("creates and deletes files and reports the changed paths", () => {
    const start = solutionOf({ "solution/a.py": "a\n", "solution/b.py": "b\n" });
    const created = read(`${renderWhole("solution/new/c.py", ["c"])}\n\nDELETE: solution/b.py\n`, start);
    expect(created.edit).toEqual({
      kind: "file",
      repairs: [],
      problem: null,
      paths: ["solution/b.py", "solution/new/c.py"],
    });
    expect(textsOf(created.solution)).toEqual({ "solution/a.py": "a\n", "solution/new/c.py": "c\n" });
    const empty = read(`FILE: solution/d.py\n${renderChange([], ["d = 1", "e = 2"])}`, start);
    expect(textsOf(empty.solution)?.["solution/d.py"]).toBe("d = 1\ne = 2\n");
  });
});

/** A reply with slips is read as meant or refused; never as another edit. */
describe("a damaged reply", () => {
  const word = fc.constantFrom("alpha", "beta", "gamma", "delta", "x", "y", "return", "import");
  const codeLine = fc
    .tuple(fc.constantFrom("", "    ", "        "), fc.array(word, { minLength: 1, maxLength: 4 }))
    .map(([indent, words]) => indent + words.join(" "));
  const blank = fc.constantFrom("", "```", "=====");
  const body = fc.uniqueArray(fc.oneof({ weight: 9, arbitrary: codeLine }, { weight: 1, arbitrary: blank }), {
    minLength: 3,
    maxLength: 10,
    selector: (text) => text.trim(),
  });

  test("never becomes another edit when one of its lines is lost, doubled or shifted", () => {
    let refused = 0;
    let exact = 0;
    fc.assert(
      fc.property(
        body,
        body,
        body,
        fc.boolean(),
        fc.constantFrom("drop", "double", "indent", "spaces", "truncate"),
        fc.nat(),
        (a, b, fresh, whole, damage, place) => {
          const one = a.map((text) => `${text} # a`);
          const two = b.map((text) => `${text} # b`);
          const start = solutionOf({
            "solution/a.py": `${one.join("\n")}\n`,
            "solution/b.py": `${two.join("\n")}\n`,
          });
          const edits = whole
            ? [renderWhole("solution/a.py", fresh), renderWhole("solution/b.py", [...fresh].reverse())]
            : [
                `FILE: solution/a.py\n${renderChange(one.slice(0, 2), fresh)}`,
                `FILE: solution/b.py\n${renderChange(two.slice(-1), fresh)}`,
              ];
          const intended = textsOf(read(edits.join("\n\n"), start).solution);
          expect(intended).not.toBeNull();
          // Only lines of the syntax are damaged: another content would be another, clean reply.
          const reply = edits.join("\n\n").split("\n");
          const fence = fenceFor(fresh.join("\n"));
          const syntax = reply.flatMap((text, index) =>
            /^(FILE: |[<>]{7,} |={7,}$)/.test(text) || text === fence ? [index] : [],
          );
          const at = syntax[place % syntax.length] ?? 0;
          const hit = reply[at] ?? "";
          if (damage === "drop") reply.splice(at, 1);
          else if (damage === "double") reply.splice(at, 0, hit);
          else if (damage === "indent") reply[at] = `  ${hit}`;
          else if (damage === "spaces") reply[at] = `${hit}  `;
          else reply.length = at;
          const result = read(reply.join("\n"), start);
          if (result.solution === null) refused++;
          else {
            exact++;
            // A reply that ends after its first edit is a whole reply with that edit.
            const ended = damage === "truncate" ? textsOf(read(edits[0] ?? "", start).solution) : intended;
            expect(textsOf(result.solution)).toEqual(ended);
          }
        },
      ),
      { numRuns: 1_500 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(exact).toBeGreaterThan(100);
  });
});

function placesOf(file: readonly string[], search: readonly string[]): number {
  let places = 0;
  for (let at = 0; at + search.length <= file.length; at++)
    if (search.every((text, index) => file[at + index] === text)) places++;
  return places;
}
