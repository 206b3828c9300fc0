import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { gathered } from "../../../src/adapters/watch/gathered.ts";
import { watchPaths } from "../../../src/adapters/watch/watch.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function workspace(): string {
  const folder = mkdtempSync(join(tmpdir(), "exit-watch-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["solution", ".exit", ".git", "node_modules/pkg"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "exit.task.json"), "{}");
  writeFileSync(join(folder, "solution/train.py"), "x = 1\n");
  return folder;
}

const isWatched = (path: string): boolean => path.endsWith("exit.task.json") || path.includes("solution/");

/** Everything told so far, and a promise for the moment when all the given paths have been. */
function listener() {
  const told: string[] = [];
  let check = (): void => {};
  return {
    told,
    onChange(paths: readonly string[]): void {
      told.push(...paths);
      check();
    },
    seen: (...paths: string[]) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (paths.every((path) => told.includes(path))) resolve();
        };
        check();
      }),
  };
}

async function watched(folder: string) {
  const events = listener();
  const watcher = await watchPaths(folder, isWatched, events.onChange);
  cleanups.push(() => watcher.close());
  return { ...events, watcher };
}

test("a task file and solution files are told when changed, added, replaced and removed", async () => {
  const folder = workspace();
  const events = await watched(folder);
  writeFileSync(join(folder, "exit.task.json"), '{"name": "digits"}');
  writeFileSync(join(folder, "solution/train.py"), "x = 2\n");
  await events.seen("exit.task.json", "solution/train.py");

  events.told.length = 0;
  mkdirSync(join(folder, "solution/new folder"));
  writeFileSync(join(folder, "solution/new folder/größe.py"), "");
  writeFileSync(join(folder, "other"), "x = 3\n");
  renameSync(join(folder, "other"), join(folder, "solution/train.py"));
  await events.seen("solution/new folder/größe.py", "solution/train.py");

  events.told.length = 0;
  rmSync(join(folder, "solution/train.py"));
  await events.seen("solution/train.py");
});

test("a burst is told as one sorted list without doubles, and a steady writer is told in between", () => {
  vi.useFakeTimers();
  const lists: (readonly string[])[] = [];
  const burst = gathered((paths) => lists.push(paths), 100, 1000);
  for (const path of ["b", "a", "b"]) burst.add(path);
  vi.advanceTimersByTime(99);
  expect(lists).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(lists).toEqual([["a", "b"]]);

  for (let step = 0; step < 30; step++) {
    burst.add("c");
    vi.advanceTimersByTime(50);
  }
  expect(lists).toEqual([["a", "b"], ["c"]]);

  burst.drop();
  burst.add("d");
  vi.advanceTimersByTime(5000);
  expect(lists).toHaveLength(2);
});

test("our own folder, git's, node_modules, unmatched files and what lies behind a link are never told", async () => {
  const folder = workspace();
  const outside = mkdtempSync(join(tmpdir(), "exit-outside-"));
  cleanups.push(() => rmSync(outside, { recursive: true, force: true }));
  symlinkSync(outside, join(folder, "solution/link"));
  const events = await watched(folder);
  for (const path of [
    ".exit/solution/x",
    ".git/solution/x",
    "node_modules/pkg/solution/x",
    "notes.txt",
    "solution/link/x",
  ]) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), "x");
  }
  writeFileSync(join(folder, "solution/last.py"), "x");
  await events.seen("solution/last.py");
  expect(events.told.filter((path) => path !== "solution/last.py")).toEqual([]);
});

test("after close nothing is told, and a second close does no harm", async () => {
  const folder = workspace();
  const first = await watched(folder);
  await first.watcher.close();
  const second = await watched(folder);
  writeFileSync(join(folder, "solution/train.py"), "x = 5\n");
  await second.seen("solution/train.py");
  expect(first.told).toEqual([]);
  await first.watcher.close();
});
