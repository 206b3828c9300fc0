/** Removing snapshots nobody needs: what is kept stays readable, the rest is gone from the disk. */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSnapshots } from "../../../src/adapters/git/snapshots.ts";
import type { Snapshots } from "../../../src/core/ports.ts";
import { file, git, plain, temporaryFolder } from "./helpers.ts";

let folder = "";
let gitDir = "";
let snapshots: Snapshots;

beforeEach(async () => {
  folder = temporaryFolder();
  gitDir = join(folder, "snapshots.git");
  snapshots = await openSnapshots(gitDir);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const solution = (text: string) => [file("x", text), file("same", "in all of them")];
/** Ids of every object there is. */
const objects = (): string[] =>
  git(gitDir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    .trim()
    .split("\n")
    .filter(Boolean);

test("a dry run counts what would go, and nothing goes", async () => {
  const kept = await snapshots.save(solution("kept"), null);
  const gone = await snapshots.save(solution("gone"), kept);
  const before = objects();
  const told = await snapshots.prune(new Set([kept]), "dryRun");
  expect(told.snapshots).toBe(1);
  expect(told.bytes).toBeGreaterThan(100);
  expect(objects()).toEqual(before);
  expect(plain(await (await openSnapshots(gitDir)).read(gone))).toEqual(plain(solution("gone").reverse()));
  expect(await snapshots.prune(new Set([kept]))).toEqual(told);
});

test("unneeded snapshots go, those kept and their ancestors' objects stay whole", async () => {
  const root = await snapshots.save(solution("0"), null);
  const between = await snapshots.save(solution("1"), root);
  const leaf = await snapshots.save(solution("2"), between);
  const gone = await snapshots.save([file("y", "alone")], root);
  expect((await snapshots.prune(new Set([root, leaf]))).snapshots).toBe(2);
  expect(objects()).not.toContain(gone);
  expect(git(gitDir, "fsck", "--strict").trim()).toBe("");
  const fresh = await openSnapshots(gitDir);
  expect(plain(await fresh.read(leaf))).toEqual(plain(solution("2").reverse()));
  expect(git(gitDir, "log", "--format=%T", `refs/exit/${leaf}`).trim().split("\n")).toEqual([
    leaf,
    between,
    root,
  ]);
  await expect(fresh.read(gone)).rejects.toMatchObject({ reason: "snapshot-missing" });
  expect(await fresh.prune(new Set([root, leaf]))).toEqual({ snapshots: 0, bytes: 0 });
  // The same instance and a new one store again what was removed.
  expect(await snapshots.save([file("y", "alone")], root)).toBe(gone);
  expect(plain(await (await openSnapshots(gitDir)).read(gone))).toEqual(plain([file("y", "alone")]));
});

test("an empty repository, and one nothing is kept of, come out empty and usable", async () => {
  expect(await snapshots.prune(new Set())).toEqual({ snapshots: 0, bytes: 0 });
  await snapshots.save(solution("a"), null);
  expect((await snapshots.prune(new Set())).snapshots).toBe(1);
  expect(objects()).toEqual([]);
  const again = await snapshots.save(solution("a"), null);
  expect(plain(await (await openSnapshots(gitDir)).read(again))).toEqual(plain(solution("a").reverse()));
});

test("snapshots packed by a user's own git gc are removed all the same", async () => {
  const kept = await snapshots.save(solution("kept"), null);
  const gone = await snapshots.save(solution("gone"), kept);
  git(gitDir, "gc", "--quiet");
  expect(existsSync(join(gitDir, "refs", "exit", gone))).toBe(false);
  const fresh = await openSnapshots(gitDir);
  expect((await fresh.prune(new Set([kept]))).snapshots).toBe(1);
  expect(objects()).not.toContain(gone);
  expect(plain(await fresh.read(kept))).toEqual(plain(solution("kept").reverse()));
  await expect(fresh.read(gone)).rejects.toMatchObject({ reason: "snapshot-missing" });
});

test("objects without a reference, left by a kill between the two steps, are removed by the next call", async () => {
  const kept = await snapshots.save(solution("kept"), null);
  const gone = await snapshots.save(solution("gone"), null);
  rmSync(join(gitDir, "refs", "exit", gone));
  // A reference a power cut left empty is in nobody's way.
  writeFileSync(join(gitDir, "refs", "exit", "f".repeat(40)), "");
  const { snapshots: count, bytes } = await snapshots.prune(new Set([kept]));
  expect(count).toBe(0);
  expect(bytes).toBeGreaterThan(0);
  expect(objects()).not.toContain(gone);
  expect(readdirSync(join(gitDir, "refs", "exit"))).toContain(kept);
});
