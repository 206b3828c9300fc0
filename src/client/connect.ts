/** The way to a workspace's runner: the one at work, or a new one. */
import { realpathSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ExitError, isExitError } from "../protocol/errors.ts";
import { attach } from "./attach.ts";
import type { Client } from "./client.ts";
import { type StartOptions, startRunner } from "./start.ts";

export type { Client } from "./client.ts";

export interface ConnectOptions extends Partial<StartOptions> {
  /** Start a runner if none is at work. */
  readonly start: boolean;
}

/** How long another process may hold the workspace without serving it: it is starting, or closing. */
const patience = 45_000;
/** How long to look for the one that was faster before trying to start again. */
const roundMs = 2_000;
const pollMs = 50;

/**
 * Connects to the runner of the workspace folder. Of several clients that start one at once, one succeeds and
 * the others find it.
 * @throws ExitError `folder-missing`; `runner-absent` without `start`; whatever kept a new runner from starting.
 */
export async function connect(folder: string, options: ConnectOptions): Promise<Client> {
  const workspace = existing(folder);
  const start: StartOptions = {
    script: options.script ?? fileURLToPath(new URL("./runner.js", import.meta.url)),
    nodePath: options.nodePath ?? null,
    trainerPython: options.trainerPython ?? null,
  };
  const deadline = Date.now() + patience;
  for (;;) {
    const client = await attach(workspace);
    if (client !== null) return client;
    if (!options.start) throw new ExitError("runner-absent", `Nothing is running in ${workspace}.`);
    try {
      await startRunner(workspace, start);
      if (Date.now() > deadline)
        throw new ExitError(
          "runner-gone",
          `Runners start in ${workspace} and end before they can be reached.`,
        );
    } catch (error) {
      if (!isExitError(error, "workspace-locked")) throw error;
      const winner = await awaitRunner(workspace);
      if (winner !== null) return winner;
      if (Date.now() > deadline) throw error;
    }
  }
}

async function awaitRunner(workspace: string): Promise<Client | null> {
  for (const end = Date.now() + roundMs; Date.now() < end; ) {
    const client = await attach(workspace);
    if (client !== null) return client;
    await sleep(pollMs);
  }
  return null;
}

function existing(folder: string): string {
  try {
    const path = realpathSync(folder);
    if (statSync(path).isDirectory()) return path;
  } catch {
    // Said below.
  }
  throw new ExitError("folder-missing", `There is no folder ${folder}.`);
}
