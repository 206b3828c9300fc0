import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startOf, tryLock, withLock } from "../../scripts/setup/lock.mjs";

let folder: string;
let file: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-lock-"));
  file = path.join(folder, "part.lock");
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** The id of a process that has ended and been reaped. */
function deadProcess() {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

function leaveLock(pid: number, started: string) {
  fs.writeFileSync(file, JSON.stringify({ pid, started, token: "left" }));
}

test("a lock is held by one at a time and leaves nothing behind", () => {
  const first = tryLock(file);
  expect(tryLock(file)).toEqual({ heldBy: process.pid });
  if ("release" in first) first.release();
  expect(fs.readdirSync(folder)).toEqual([]);
  expect(tryLock(file)).toHaveProperty("release");
});

test("a dead holder's lock is taken over", () => {
  leaveLock(deadProcess(), "");
  expect(tryLock(file)).toHaveProperty("release");
  expect(fs.readdirSync(folder)).toEqual(["part.lock"]);
});

test("a lock is taken over when the holder's process id now belongs to another program", () => {
  leaveLock(process.pid, "another start");
  expect(tryLock(file)).toHaveProperty("release");
});

test("a living holder keeps its lock", () => {
  leaveLock(process.pid, startOf(process.pid) ?? "");
  expect(tryLock(file)).toEqual({ heldBy: process.pid });
});

test("a damaged lock file does not block for ever", () => {
  fs.writeFileSync(file, '{"pid": 12');
  expect(tryLock(file)).toHaveProperty("release");
});

test("releasing does not take away a lock that somebody else holds by now", () => {
  const mine = tryLock(file);
  leaveLock(process.pid, startOf(process.pid) ?? "");
  if ("release" in mine) mine.release();
  expect(fs.existsSync(file)).toBe(true);
});

test("waiting ends with a sentence that names the holder", async () => {
  leaveLock(process.pid, startOf(process.pid) ?? "");
  const waited: number[] = [];
  const options = { onWait: (pid: number) => waited.push(pid), limitSeconds: 0, everyMs: 1 };
  await expect(withLock(file, options, async () => {})).rejects.toThrow(`process ${process.pid}`);
  expect(waited).toEqual([process.pid]);
});

test("many processes that find the same dead lock never hold it together", async () => {
  leaveLock(deadProcess(), "");
  const log = path.join(folder, "log");
  const lock = pathToFileURL(path.resolve("scripts/setup/lock.mjs")).href;
  const program = `
    import fs from "node:fs";
    import { withLock } from ${JSON.stringify(lock)};
    await withLock(${JSON.stringify(file)}, { everyMs: 1 }, async () => {
      fs.appendFileSync(${JSON.stringify(log)}, "in ");
      await new Promise((resolve) => setImmediate(resolve));
      fs.appendFileSync(${JSON.stringify(log)}, "out ");
    });`;
  const script = path.join(folder, "holder.mjs");
  fs.writeFileSync(script, program);
  const children = Array.from({ length: 6 }, () => spawn(process.execPath, [script], { stdio: "inherit" }));
  const ends = await Promise.all(children.map((child) => once(child, "exit")));
  expect(ends.map(([code]) => code)).toEqual(ends.map(() => 0));
  expect(fs.readFileSync(log, "utf8")).toBe("in out ".repeat(children.length));
});
