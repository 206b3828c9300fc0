/** The run of a workspace: at most one at a time, started, stopped, waited for. */
import { ExitError } from "../core/errors.ts";
import type { Run } from "../core/history.ts";
import type { RunRequest } from "./app.ts";
import type { ActiveRun } from "./drive.ts";

export interface Runs {
  /** A run lasts or is being started. */
  isUnderWay(): boolean;
  /** Id of the run that lasts. */
  active(): string | null;
  /** Begins a run and returns once it is under way; the caller has made sure that there is none. */
  start(request: RunRequest): Promise<{ readonly run: Run; readonly continued: boolean }>;
  /** Begins a run, tells which, and resolves with it when it has ended. Rejects with the run's error, or when aborted. */
  toItsEnd(request: RunRequest, opened: (run: Run) => void, signal: AbortSignal): Promise<Run>;
  /** @returns was there anything to stop? Resolves when it has ended. */
  stop(): Promise<boolean>;
}

type Begin = (
  request: RunRequest,
  signal: AbortSignal,
) => Promise<{ readonly active: ActiveRun; readonly continued: boolean }>;

export function createRuns(begin: Begin): Runs {
  let starting: { readonly controller: AbortController; readonly settled: Promise<unknown> } | null = null;
  let active: ActiveRun | null = null;

  const start = async (request: RunRequest): ReturnType<Begin> => {
    const controller = new AbortController();
    const started = begin(request, controller.signal);
    starting = { controller, settled: started.catch(() => undefined) };
    try {
      const { active: begun, continued } = await started;
      active = begun;
      void begun.ended.finally(() => {
        active = null;
      });
      return { active: begun, continued };
    } finally {
      starting = null;
    }
  };
  const stop = async (): Promise<boolean> => {
    const stopped = starting !== null || active !== null;
    starting?.controller.abort(new ExitError("stopped", "The run was stopped before it began."));
    await starting?.settled;
    await active?.stop();
    return stopped;
  };
  return {
    isUnderWay: () => starting !== null || active !== null,
    active: () => active?.run.id ?? null,
    async start(request) {
      const { active: begun, continued } = await start(request);
      return { run: begun.run, continued };
    },
    async toItsEnd(request, opened, signal) {
      signal.throwIfAborted();
      const stopping = (): void => void stop();
      signal.addEventListener("abort", stopping, { once: true });
      try {
        const { active: begun } = await start(request);
        opened(begun.run);
        const { run, error } = await begun.ended;
        signal.throwIfAborted();
        if (error !== null) throw new ExitError(error.reason, error.message);
        return run;
      } finally {
        signal.removeEventListener("abort", stopping);
      }
    },
    stop,
  };
}
