import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSnapshots } from "../../../src/adapters/git/snapshots.ts";
import type { Snapshots, Solution, SolutionFile } from "../../../src/core/ports.ts";
import { file, plain, sorted, temporaryFolder } from "./helpers.ts";

const lines = (...changed: [number, string][]): string => {
  const all = Array.from({ length: 12 }, (_, place) => `line ${place}`);
  for (const [place, text] of changed) all[place] = text;
  return `${all.join("\n")}\n`;
};

const folder = temporaryFolder();
let snapshots: Snapshots;
beforeAll(async () => {
  snapshots = await openSnapshots(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function merge(base: Solution, ours: Solution, theirs: Solution) {
  const start = await snapshots.save(base, null);
  return snapshots.merge(start, ours, await snapshots.save(theirs, start));
}

test("changes in different places of a file come together, byte for byte", async () => {
  const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
  const { merged, conflicts } = await merge(
    [file("a b.py", lines()), file("l1", latin1(lines([5, "ä"])))],
    [file("a b.py", lines([1, "ours\r"])), file("l1", latin1(lines([5, "ä"], [1, "ö"])))],
    [file("a b.py", lines([10, "theirs"])), file("l1", latin1(lines([5, "ä"], [10, "ü"])))],
  );
  expect(conflicts).toEqual([]);
  expect(plain(merged)).toEqual(
    plain([
      file("a b.py", lines([1, "ours\r"], [10, "theirs"])),
      file("l1", latin1(lines([5, "ä"], [1, "ö"], [10, "ü"]))),
    ]),
  );
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
});

test("what only one side changed, added, deleted or made executable is taken over", async () => {
  const base = [
    file("both", "1"),
    file("ours", "1"),
    file("theirs", "1"),
    file("gone", "1"),
    file("run", "1"),
  ];
  const { merged, conflicts } = await merge(
    base,
    [
      file("both", "2"),
      file("ours", "2"),
      file("theirs", "1"),
      file("gone", "1"),
      file("run", "2"),
      file("mine", "x"),
    ],
    [
      file("both", "2"),
      file("ours", "1"),
      file("theirs", "2"),
      file("run", "1", true),
      file("new/file", "y"),
    ],
  );
  expect(conflicts).toEqual([]);
  expect(plain(merged)).toEqual(
    plain(
      sorted([
        file("both", "2"),
        file("ours", "2"),
        file("theirs", "2"),
        file("run", "2", true),
        file("mine", "x"),
        file("new/file", "y"),
      ]),
    ),
  );
});

const binary = (last: number): Uint8Array => Uint8Array.from([0, 1, 2, last]);

test.each<[string, SolutionFile[], SolutionFile[], SolutionFile[], string[]]>([
  [
    "the same line changed twice",
    [file("x", lines())],
    [file("x", lines([3, "a"]))],
    [file("x", lines([3, "b"]))],
    ["x"],
  ],
  ["bytes that are no text", [file("x", binary(1))], [file("x", binary(2))], [file("x", binary(3))], ["x"]],
  ["changed here, deleted there", [file("x", "1")], [file("x", "2")], [], ["x"]],
  ["deleted here, changed there", [file("x", "1")], [], [file("x", "2")], ["x"]],
  ["added differently on both sides", [], [file("x", "1")], [file("x", "2")], ["x"]],
  ["a file here, a folder there", [], [file("x", "1")], [file("x/y", "2")], ["x", "x/y"]],
  ["a folder here, a file there", [], [file("x/y", "1")], [file("x", "2")], ["x", "x/y"]],
])("%s: named as a conflict, and ours stays", async (_, base, ours, theirs, named) => {
  const other = file("other", "theirs");
  const { merged, conflicts } = await merge(base, ours, [...theirs, other]);
  expect(conflicts).toEqual(named);
  expect(plain(merged)).toEqual(plain(sorted([...ours, other])));
});
