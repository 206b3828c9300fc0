/** Long work with tuned models: one at a time, it goes on when its client is gone, and tells its end as an event. */
import { ExitError, isExitError, messageOf } from "../../core/errors.ts";
import type { RunEvent, TuningJob, TuningOutcome } from "../../core/reports.ts";

export interface TuningJobs {
  active(): TuningJob | null;
  /** @throws ExitError `tuning-active`. */
  refuse(): void;
  /** Begins the work. @throws ExitError `tuning-active`. */
  start(job: TuningJob, work: (signal: AbortSignal) => Promise<TuningOutcome>): void;
  stop(): Promise<boolean>;
}

export function createTuningJobs(emit: (event: RunEvent) => void): TuningJobs {
  let current: {
    readonly job: TuningJob;
    readonly controller: AbortController;
    readonly ended: Promise<void>;
  } | null = null;
  const refuse = (): void => {
    if (current !== null)
      throw new ExitError(
        "tuning-active",
        `${words[current.job]} is under way in this workspace. "exit-ml stop" ends it; the same command goes on with it later.`,
      );
  };
  return {
    active: () => current?.job ?? null,
    refuse,
    start(job, work) {
      refuse();
      const controller = new AbortController();
      emit({ type: "tuningStarted", job });
      const ended = work(controller.signal).then(
        (outcome) => end({ job, outcome, error: null }),
        (error: unknown) => end({ job, outcome: null, error: wireError(error, controller.signal) }),
      );
      current = { job, controller, ended };
    },
    async stop() {
      const stopping = current;
      stopping?.controller.abort(new ExitError("stopped", "It was stopped. What is finished is kept."));
      await stopping?.ended;
      return stopping !== null;
    },
  };

  function end(result: Omit<Extract<RunEvent, { type: "tuningEnded" }>, "type">): void {
    current = null;
    emit({ type: "tuningEnded", ...result });
  }
}

const words: Record<TuningJob, string> = {
  "fine-tune": "A fine-tune",
  gate: "A gate",
  rounds: "A bootstrap",
};

function wireError(error: unknown, { aborted, reason }: AbortSignal): { reason: string; message: string } {
  const cause: unknown = aborted ? reason : error;
  return { reason: isExitError(cause) ? cause.reason : "internal", message: messageOf(cause) };
}
