import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSnapshots } from "../../../src/adapters/git/snapshots.ts";
import type { Snapshots, Solution } from "../../../src/core/ports.ts";
import {
  countingGit,
  file,
  git,
  hashOf,
  hostileConfiguration,
  plain,
  sorted,
  temporaryFolder,
} from "./helpers.ts";

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const awkward: Solution = sorted([
  file("solution/train.py", "print('ü')\n"),
  file("solution/windows.txt", "one\r\ntwo\r\nmixed\nno end"),
  file("solution/empty", ""),
  file("solution/model.bin", everyByte),
  file("solution/run.sh", "#!/bin/sh\n", true),
  file("solution/größe 数 \u{1f600}.py", "x = 1\n"),
  file('solution/quo"te \\ back\nline\ttab', "x"),
  file(" leading", "x"),
  file("-r", "x"),
  file("a/b", "x"),
  file("a.b", "x"),
  file("a-b/c", "x"),
  file("solution/ident.py", "$Id$ $Id: abc $\n"),
  file("solution/utf16.txt", new Uint8Array([0xff, 0xfe, 0x41, 0x00])),
  file("solution/latin1.txt", new Uint8Array([0xe4, 0xf6, 0x0a])),
]);

let folder = "";
let gitDir = "";
let snapshots: Snapshots;
const cleanups: (() => void)[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  gitDir = join(folder, ".exit", "snapshots.git");
  snapshots = await openSnapshots(gitDir);
});
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
  rmSync(folder, { recursive: true, force: true });
});

/** Without the memory of the instance that saved. */
const reopened = (): Promise<Snapshots> => openSnapshots(gitDir);

test("every byte, name and executable bit survives, and the id is git's tree id", async () => {
  const id = await snapshots.save(awkward, null);
  expect(plain(await (await reopened()).read(id))).toEqual(plain(awkward));
  expect(plain(await snapshots.read(id))).toEqual(plain(awkward));
  expect(git(gitDir, "log", "-1", "--format=%T", `refs/exit/${id}`).trim()).toBe(id);
  expect(git(gitDir, "fsck", "--strict").trim()).toBe("");
});

test("a solution of no files, and one of one empty file, are solutions", async () => {
  const none = await snapshots.save([], null);
  const empty = await snapshots.save([file("e", "")], none);
  const fresh = await reopened();
  expect(await fresh.read(none)).toEqual([]);
  expect(plain(await fresh.read(empty))).toEqual(plain([file("e", "")]));
});

test("the order of the files does not matter; content and executable bit do", async () => {
  const id = await snapshots.save(awkward, null);
  expect(await snapshots.save([...awkward].reverse(), null)).toBe(id);
  expect(plain(await snapshots.read(id))).toEqual(plain(awkward));
  const changed = awkward.map((entry) => ({ ...entry, executable: !entry.executable }));
  expect(await snapshots.save(changed, id)).not.toBe(id);
});

test("a revision is a commit whose parent is its start's commit", async () => {
  const root = await snapshots.save([file("x", "0")], null);
  const first = await snapshots.save([file("x", "1")], root);
  const second = await (await reopened()).save([file("x", "2")], first);
  const trees = git(gitDir, "log", "--format=%T", `refs/exit/${second}`).trim().split("\n");
  expect(trees).toEqual([second, first, root]);
  await expect(snapshots.save([file("x", "3")], "f".repeat(40))).rejects.toMatchObject({
    reason: "snapshot-missing",
  });
});

test("saving takes at most 3 git processes, and none for known content", async () => {
  const counting = countingGit();
  cleanups.push(counting.restore);
  const root = await snapshots.save(awkward, null);
  const afterRoot = counting.count();
  expect(afterRoot).toBeGreaterThan(0);
  expect(afterRoot).toBeLessThanOrEqual(3);
  const changed = [...awkward, file("solution/new.py", "")];
  await snapshots.save(changed, root);
  const afterChild = counting.count();
  expect(afterChild - afterRoot).toBeLessThanOrEqual(3);
  await snapshots.save(changed, null);
  await (await reopened()).save(awkward, null);
  await snapshots.read(root);
  expect(counting.count()).toBe(afterChild);
});

test("8 saves at once, two of them equal, all come out right", async () => {
  const root = await snapshots.save([file("x", "root")], null);
  const solutions = Array.from({ length: 8 }, (_, place) => [
    file("solution/x.py", `x = ${Math.min(place, 6)}\n`.repeat(1000)),
    file("shared", "shared"),
  ]);
  const ids = await Promise.all(solutions.map((solution) => snapshots.save(solution, root)));
  expect(new Set(ids).size).toBe(7);
  expect(ids[6]).toBe(ids[7]);
  const fresh = await reopened();
  for (const [place, id] of ids.entries()) {
    expect(plain(await fresh.read(id))).toEqual(plain(sorted(solutions[place] ?? [])));
    expect(git(gitDir, "log", "--format=%T", `refs/exit/${id}`).trim().split("\n")).toEqual([id, root]);
  }
});

test("a child may be saved while its parent still is", async () => {
  const solution = [file("x", "parent")];
  const id = await (await openSnapshots(join(folder, "other.git"))).save(solution, null);
  const [parent, child] = await Promise.all([
    snapshots.save(solution, null),
    snapshots.save([file("x", "child")], id),
  ]);
  expect(git(gitDir, "log", "--format=%T", `refs/exit/${child}`).trim().split("\n")).toEqual([child, parent]);
});

test("the hostile configuration is one: an ordinary git falls for it", () => {
  const hostile = hostileConfiguration();
  cleanups.push(hostile.restore);
  writeFileSync(join(folder, "x"), "x\n");
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: process.env.GIT_CONFIG_GLOBAL };
  execFileSync("git", ["init", "-q", "--object-format=sha1"], { cwd: folder, env, stdio: "ignore" });
  execFileSync("git", ["add", "x"], { cwd: folder, env, stdio: "ignore" });
  expect(readFileSync(hostile.trace, "utf8")).toContain("program clean");
});

test("no hook, filter, driver or setting of the user's git has any effect", async () => {
  const hostile = hostileConfiguration();
  cleanups.push(hostile.restore);
  const fresh = await openSnapshots(join(folder, "hostile.git"));
  const root = await fresh.save(awkward, null);
  const changed = awkward.map((entry) =>
    entry.path === "solution/train.py" ? file(entry.path, "print('changed')\n") : entry,
  );
  const id = await fresh.save(changed, root);
  const again = await openSnapshots(join(folder, "hostile.git"));
  expect(plain(await again.read(root))).toEqual(plain(awkward));
  expect(plain(await again.read(id))).toEqual(plain(changed));
  expect(await again.diff(root, id)).toContain("--- a/solution/train.py\n+++ b/solution/train.py\n");
  await again.merge(root, [file("solution/train.py", "print('ü')\nmore\n")], id);
  expect(existsSync(hostile.trace)).toBe(false);
});

test("attribute and ignore files inside a solution are files like any other", async () => {
  const hostile = hostileConfiguration();
  cleanups.push(hostile.restore);
  const solution = sorted([
    file(
      ".gitattributes",
      "* filter=trap text eol=crlf ident export-ignore working-tree-encoding=UTF-16 -diff\n",
    ),
    file(".gitignore", "*\n"),
    file("deep/.gitignore", "!nothing\n*\n"),
    file("deep/hidden.py", "a\r\nb\n$Id$\n"),
  ]);
  const root = await snapshots.save(solution, null);
  const changed = solution.map((entry) =>
    entry.path.endsWith(".py") ? file(entry.path, "a\r\nc\n") : entry,
  );
  const id = await snapshots.save(changed, root);
  const fresh = await reopened();
  expect(plain(await fresh.read(root))).toEqual(plain(solution));
  expect(plain(await fresh.read(id))).toEqual(plain(changed));
  expect(await fresh.diff(root, id)).toContain("+c\n");
  expect(existsSync(hostile.trace)).toBe(false);
});

test("a repository that came with the workspace brings no program and no objects with it", async () => {
  const hostile = hostileConfiguration();
  cleanups.push(hostile.restore);
  const planted = join(folder, "planted.git");
  mkdirSync(join(planted, "hooks"), { recursive: true });
  mkdirSync(join(planted, "info"));
  mkdirSync(join(planted, "objects/info"), { recursive: true });
  writeFileSync(
    join(planted, "hooks/reference-transaction"),
    `#!/bin/sh\necho hook >> '${hostile.trace}'\n`,
    { mode: 0o755 },
  );
  writeFileSync(join(planted, "config"), readFileSync(process.env.GIT_CONFIG_GLOBAL ?? ""));
  writeFileSync(join(planted, "commondir"), folder);
  writeFileSync(join(planted, "info/attributes"), "* filter=trap diff=trap\n");
  writeFileSync(join(planted, "objects/info/alternates"), join(folder, "objects"));
  const opened = await openSnapshots(planted);
  const id = await opened.save(awkward, null);
  const other = await opened.save([file("x", "x")], id);
  expect(await opened.diff(id, other)).toContain("+x");
  expect(plain(await (await openSnapshots(planted)).read(id))).toEqual(plain(awkward));
  expect(existsSync(hostile.trace)).toBe(false);
});

test("the user's repository around it stays byte-identical", async () => {
  const user = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=U", "-c", "user.email=u@example.org", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
  user("init", "-q");
  mkdirSync(join(folder, "solution"));
  writeFileSync(join(folder, "solution/train.py"), "x = 1\n");
  writeFileSync(join(folder, ".gitignore"), ".exit\n");
  user("add", "-A");
  user("commit", "-q", "-m", "start");
  writeFileSync(join(folder, "solution/train.py"), "x = 2\n");
  user("add", "-A");
  writeFileSync(join(folder, "solution/train.py"), "x = 3\n");
  user("status");
  const before = [hashOf(join(folder, ".git")), hashOf(join(folder, "solution"))];

  const root = await snapshots.save([file("solution/train.py", "x = 3\n")], null);
  const id = await snapshots.save([file("solution/train.py", "x = 4\n")], root);
  const fresh = await reopened();
  await fresh.read(id);
  await fresh.diff(root, id);
  await fresh.merge(root, [file("solution/train.py", "x = 5\n")], id);
  expect([hashOf(join(folder, ".git")), hashOf(join(folder, "solution"))]).toEqual(before);
});

test.each([
  "../x",
  "/etc/passwd",
  "a//b",
  "./a",
  "a/",
  "",
  ".git/config",
  "a/.GIT/hooks/x",
  "a/.git",
  ".git./x",
  ".git::$INDEX_ALLOCATION/x",
  "GIT~1/x",
  ".g\u200cit/x",
  "nul\0",
  "lone \ud800",
])("the path %j is refused before anything is stored", async (path) => {
  await expect(snapshots.save([file("ok", ""), file(path, "x")], null)).rejects.toMatchObject({
    reason: "path-refused",
  });
  expect(readdirSync(join(gitDir, "refs/exit"))).toEqual([]);
});

test("a path that occurs twice, or is a file and a folder, is refused", async () => {
  for (const paths of [
    ["a", "a"],
    ["a", "a/b"],
    ["a/b/c", "a"],
  ]) {
    await expect(
      snapshots.save(
        paths.map((path) => file(path, "x")),
        null,
      ),
    ).rejects.toMatchObject({
      reason: "path-refused",
    });
  }
});

test.each([".gitignore", ".github/x", "a.git/x", "git/x", "..a/...", "a/.gitkeep"])(
  "the path %j is stored",
  async (path) => {
    const id = await snapshots.save([file(path, "x")], null);
    expect(plain(await (await reopened()).read(id))).toEqual(plain([file(path, "x")]));
  },
);

test("a diff is unified text, empty for equal snapshots", async () => {
  const from = await snapshots.save(
    [file("a b.py", "one\ntwo\n"), file("gone", "x\n"), file("größe", "1\n")],
    null,
  );
  const to = await snapshots.save(
    [file("a b.py", "one\n2\n"), file("new", "y\n"), file("größe", "2\n")],
    from,
  );
  const diff = await snapshots.diff(from, to);
  expect(diff).toContain("--- a/a b.py\t\n+++ b/a b.py\t\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n");
  expect(diff).toContain("--- a/gone\n+++ /dev/null\n");
  expect(diff).toContain("--- /dev/null\n+++ b/new\n");
  expect(diff).toContain("+++ b/größe\n");
  expect(await snapshots.diff(from, from)).toBe("");
});

test("what is not stored is missing, by name", async () => {
  const stored = await snapshots.save([file("x", "x")], null);
  for (const absent of ["0".repeat(40), "../../../etc", "--help", "HEAD", ""]) {
    await expect(snapshots.read(absent)).rejects.toMatchObject({ reason: "snapshot-missing" });
    await expect(snapshots.diff(stored, absent)).rejects.toMatchObject({ reason: "snapshot-missing" });
    await expect(snapshots.merge(absent, [], stored)).rejects.toMatchObject({ reason: "snapshot-missing" });
  }
});

test("a snapshot that lost an object is said to be damaged, and saving its content mends it", async () => {
  const solution = [file("solution/x", "precious"), file("y", "z")];
  const id = await snapshots.save(solution, null);
  const blob = git(gitDir, "rev-parse", `${id}:solution/x`).trim();
  for (const damage of ["", "garbage", null]) {
    const object = join(gitDir, "objects", blob.slice(0, 2), blob.slice(2));
    rmSync(object);
    if (damage !== null) writeFileSync(object, damage);
    const fresh = await reopened();
    await expect(fresh.read(id)).rejects.toMatchObject({ reason: "snapshot-missing" });
    rmSync(object, { force: true });
    expect(await fresh.save(solution, null)).toBe(id);
    expect(plain(await (await reopened()).read(id))).toEqual(plain(solution));
  }
});

test("leavings of a killed git do not stand in the way", async () => {
  const solution = [file("x", "x")];
  const elsewhere = await openSnapshots(join(folder, "other.git"));
  const id = await elsewhere.save(solution, null);
  writeFileSync(join(gitDir, "refs/exit", `${id}.lock`), "");
  writeFileSync(join(gitDir, "refs/exit", id), "");
  writeFileSync(join(gitDir, "objects/pack/tmp_pack_abc"), "half");
  writeFileSync(join(gitDir, "fast_import_crash_1"), "");
  const fresh = await reopened();
  expect(await fresh.save(solution, null)).toBe(id);
  expect(plain(await (await reopened()).read(id))).toEqual(plain(solution));
  expect(readdirSync(join(gitDir, "objects/pack"))).toEqual([]);
  expect(readdirSync(gitDir)).not.toContain("fast_import_crash_1");
});

test("snapshots somebody packed by hand are still found", async () => {
  const root = await snapshots.save(awkward, null);
  git(gitDir, "gc", "--quiet");
  expect(readdirSync(join(gitDir, "refs/exit"))).toEqual([]);
  const fresh = await reopened();
  expect(plain(await fresh.read(root))).toEqual(plain(awkward));
  const id = await fresh.save([file("x", "x")], root);
  expect(git(gitDir, "log", "--format=%T", `refs/exit/${id}`).trim().split("\n")).toEqual([id, root]);
});

test("without git the sentence says to install it", async () => {
  const path = process.env.PATH;
  cleanups.push(() => {
    process.env.PATH = path;
  });
  process.env.PATH = folder;
  await expect(snapshots.save([file("x", "x")], null)).rejects.toMatchObject({ reason: "git-missing" });
});

test("a repository that vanished, or cannot be made, is named", async () => {
  rmSync(gitDir, { recursive: true });
  await expect(snapshots.save([file("x", "x")], null)).rejects.toMatchObject({
    reason: "git-failed",
    message: expect.stringContaining(gitDir),
  });
  writeFileSync(join(folder, "file"), "");
  await expect(openSnapshots(join(folder, "file"))).rejects.toMatchObject({ reason: "snapshots-unwritable" });
});
