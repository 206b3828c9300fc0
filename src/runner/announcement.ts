/** `.exit/runner.json`, from the side that writes it. The caller holds the workspace's lock. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { parseRunnerFile, type RunnerFile, runnerFilePath } from "../protocol/runner-file.ts";
import { removeEndpoint } from "./endpoint.ts";

/** Replaces the file in one step: a reader sees the old or the new one, never half of it. */
export function announce(workspace: string, entry: RunnerFile): void {
  const path = runnerFilePath(workspace);
  const half = `${path}.${entry.pid}`;
  rmSync(half, { force: true });
  writeFileSync(half, `${JSON.stringify(entry)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(half, path);
}

/** Removes the announcement of `pid`, and of nobody else. */
export function withdraw(workspace: string, pid: number): void {
  if (read(workspace)?.pid === pid) rmSync(runnerFilePath(workspace), { force: true });
}

/** What a runner that was killed could not clean up. Whoever holds the lock knows that it is dead. */
export function forgetPredecessor(workspace: string): void {
  const old = read(workspace);
  if (old !== null) removeEndpoint(old.socket);
  rmSync(runnerFilePath(workspace), { force: true });
}

function read(workspace: string): RunnerFile | null {
  try {
    return parseRunnerFile(readFileSync(runnerFilePath(workspace), "utf8"));
  } catch {
    return null;
  }
}
