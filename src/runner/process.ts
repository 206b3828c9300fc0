/** The runner as a process: its argument, its signals, what it tells the one who started it, its exit code. */
import { realpathSync } from "node:fs";
import { ExitError, isExitError, toWireError } from "../protocol/errors.ts";
import { runnerLogPath } from "../protocol/runner-file.ts";
import type { StartReport } from "../protocol/start-report.ts";
import { type Log, openLog } from "./log.ts";
import { type OpenApp, type Serving, serve } from "./serve.ts";

const defaultIdleMs = 5_000;

/**
 * Serves the workspace named by the first argument and ends the process afterwards: 0 when idle or told to end,
 * 1 after an error. `EXIT_ML_IDLE_MS` changes the time without clients after which it ends.
 */
export async function runRunner(args: readonly string[], openApp: OpenApp): Promise<void> {
  let log: Log = () => undefined;
  let serving: Serving | null = null;
  try {
    const folder = workspaceOf(args);
    log = openLog(runnerLogPath(folder));
    serving = await serve(folder, openApp, { log, idleMs: idleMs() });
    endOnSignals(serving);
    endOnCrash(serving, log);
  } catch (error) {
    const failed = toWireError(error);
    log(`did not start: ${error instanceof Error && !isExitError(error) ? error.stack : failed.message}`);
    process.stderr.write(`${failed.message}\n`);
    await report({ failed });
    process.exit(1);
  }
  await report({ ready: true });
  await serving.ended;
  process.exit(process.exitCode ?? 0);
}

function workspaceOf(args: readonly string[]): string {
  const [folder, ...rest] = args;
  if (folder === undefined || rest.length > 0)
    throw new ExitError("usage", "The runner takes one argument: the workspace folder.");
  try {
    return realpathSync(folder);
  } catch (cause) {
    throw new ExitError("folder-missing", `There is no folder ${folder}.`, { cause });
  }
}

function idleMs(): number {
  const given = Number(process.env.EXIT_ML_IDLE_MS ?? Number.NaN);
  return Number.isFinite(given) && given > 0 ? given : defaultIdleMs;
}

/** The first signal ends in good order; a second one at once. */
function endOnSignals(serving: Serving): void {
  let asked = false;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(signal, () => {
      if (asked && signal !== "SIGHUP") process.exit(1);
      asked = true;
      void serving.close(signal);
    });
}

/** A bug must not leave a half-dead runner: what is stored is whole, and the same command continues the run. */
function endOnCrash(serving: Serving, log: Log): void {
  const crash = (error: unknown): void => {
    log(`crashed: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
    void serving.close("a bug");
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}

/** Tells the starter, if it still listens, and lets go of it. */
function report(message: StartReport): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) return resolve();
    process.send(message, undefined, undefined, () => {
      if (process.connected) process.disconnect();
      resolve();
    });
  });
}
