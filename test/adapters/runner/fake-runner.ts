/**
 * A runner process over the fake use cases. Its lock is a file with a process id, as exclusive as the real one and
 * as quickly free after a kill. `FAKE_OPEN` makes opening fail: `refuse` with a sentence, `crash` without.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitError } from "../../../src/core/errors.ts";
import { runRunner } from "../../../src/runner/process.ts";
import { FakeApp } from "./fake-app.ts";

class LockedFakeApp extends FakeApp {
  readonly #lock: string;

  constructor(folder: string, lock: string) {
    super(folder);
    this.#lock = lock;
    this.problems.push(...Object.keys(process.env).filter((name) => /^VSCODE_|^NODE_OPTIONS$/.test(name)));
  }

  override async close(): Promise<void> {
    await super.close();
    writeFileSync(`${this.#lock}.closed`, "");
    rmSync(this.#lock);
  }
}

function openFakeApp(folder: string): Promise<FakeApp> {
  if (process.env.FAKE_OPEN === "refuse")
    throw new ExitError("disk-full", "The disk is full; make room and repeat the command.");
  if (process.env.FAKE_OPEN === "crash") {
    process.stderr.write("Illegal instruction\n");
    process.kill(process.pid, "SIGKILL");
  }
  mkdirSync(join(folder, ".exit"), { recursive: true });
  const lock = join(folder, ".exit", "fake.lock");
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    if (existsSync(lock) && !isAlive(Number(readFileSync(lock, "utf8")))) rmSync(lock, { force: true });
    linkSync(mine, lock); // fails if it exists
  } catch {
    throw new ExitError("workspace-locked", "Another process has this workspace open.");
  } finally {
    rmSync(mine);
  }
  return Promise.resolve(new LockedFakeApp(folder, lock));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

void runRunner(process.argv.slice(2), async (folder) => openFakeApp(folder));
