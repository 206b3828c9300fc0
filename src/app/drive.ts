/** Driving the loop of a run to its end: through outages of the engine, then the confirmation of its winners. */
import { setTimeout as pause } from "node:timers/promises";
import { ExitError, isExitError, messageOf } from "../core/errors.ts";
import type { Run } from "../core/history.ts";
import { type LoopContext, type LoopEnd, runLoop } from "../core/loop.ts";
import { policyVersion } from "../core/policy-version.ts";
import type { EngineResources, Policy, ResolvedTask, Scorer, Store } from "../core/ports.ts";
import type { RunEvent } from "../core/reports.ts";
import { confirmTask } from "./confirm.ts";
import { modelTurns } from "./gpu-turns.ts";
import { observe } from "./observe.ts";
import type { RunParts } from "./run-parts.ts";
import { checkSpace } from "./space.ts";

/** A run under way. */
export interface ActiveRun {
  readonly run: Run;
  /** Ends it early; what is finished is kept and the run stays unfinished. */
  stop(): Promise<void>;
  /** Resolves when it has ended, for whatever reason, with how. */
  readonly ended: Promise<End & { readonly run: Run }>;
}

/** Who works on a run. */
export interface Crew {
  readonly tasks: readonly ResolvedTask[];
  readonly scorer: Scorer;
  readonly policy: Policy;
  readonly policyInfo: Awaited<ReturnType<Policy["describe"]>>;
  readonly engine: EngineResources;
}

/** Drives a run in the background; a message tells of its end. */
export function drive(run: Run, crew: Crew, parts: RunParts): ActiveRun {
  const stopping = new AbortController();
  const spaces = { state: parts.stateFolders, engine: crew.engine.dataFolder };
  const context: LoopContext = {
    ...parts,
    ...crew,
    run,
    policyVersion: policyVersion(crew.policyInfo),
    observer: observe(parts),
    checkSpace: () => checkSpace(spaces, parts.freeBytes),
    withModel: modelTurns({ ...crew, arbiter: parts.arbiter, capacity: crew.engine }),
  };
  const ended = (async () => {
    const end = await loopToItsEnd(context, crew.tasks, parts, stopping.signal);
    // Nothing is sampled any more: whatever the model held is there for the last scores.
    await crew.policy.close().catch((error: unknown) => warn(parts, error));
    // A round collects to learn: no winner of it is given to the user as one.
    const isOfRound = run.budget.informative !== undefined;
    if (end.error === null && end.reason !== "stopped" && !isOfRound)
      await confirmAtEnd(run, crew, parts, stopping.signal);
    const ending = { run: currentRun(parts.store, run), ...end };
    parts.emit({ type: "runEnded", ...ending });
    return ending;
  })();
  return {
    run,
    ended,
    stop: async () => {
      stopping.abort(new ExitError("stopped", "The run was stopped."));
      await ended;
    },
  };
}

/** Milliseconds a run waits for an engine that went away in the middle of it: an update, or a restart by the user. */
const outageLimit = 15 * 60_000;
const askEvery = 5_000;

/** Drives the loop, and waits for the engine where that goes away; then the loop goes on from the records. */
async function loopThroughOutages(
  context: LoopContext,
  tasks: readonly ResolvedTask[],
  parts: RunParts,
  signal: AbortSignal,
): Promise<LoopEnd> {
  for (;;) {
    try {
      return await runLoop({ ...context, run: currentRun(parts.store, context.run) }, signal);
    } catch (error) {
      const [task] = tasks;
      if (signal.aborted || task === undefined || !isExitError(error, "docker-unreachable")) throw error;
      const text = `${error.message} The run itself waits ${outageLimit / 60_000} minutes for it.`;
      parts.emit({ type: "message", level: "warn", text });
      const late = parts.clock.monotonic() + outageLimit;
      while (!(await answersFor(task, parts, signal))) {
        if (parts.clock.monotonic() > late) throw error;
        await pause(askEvery, undefined, { signal });
      }
      parts.emit({ type: "message", level: "info", text: "The engine answers again: the run goes on." });
    }
  }
}

async function answersFor(task: ResolvedTask, parts: RunParts, signal: AbortSignal): Promise<boolean> {
  try {
    await (await parts.sandbox()).describe(task, signal);
    return true;
  } catch (error) {
    if (!isExitError(error, "docker-unreachable")) throw error;
    return false;
  }
}

type End = Pick<Extract<RunEvent, { type: "runEnded" }>, "reason" | "error">;

/** Drives the loop with the workspace watched; never rejects. */
async function loopToItsEnd(
  context: LoopContext,
  tasks: readonly ResolvedTask[],
  parts: RunParts,
  signal: AbortSignal,
): Promise<End> {
  const watches = await Promise.all(
    tasks.map((task) =>
      parts
        .watch(
          (path) => task.isSolutionPath(path) || path === task.file,
          (paths) => parts.emit({ type: "workspaceMoved", task: task.id, paths }),
        )
        // The run does not need it: a revision never takes up the user's edits.
        .catch((error: unknown) => warn(parts, error)),
    ),
  );
  try {
    const reason = await loopThroughOutages(context, tasks, parts, signal);
    const { spent } = currentRun(parts.store, context.run);
    parts.store.updateRun(context.run.id, { spent, endedAt: parts.clock.now(), endedBy: reason });
    return { reason, error: null };
  } catch (error) {
    return signal.aborted ? { reason: "stopped", error: null } : { reason: "error", error: wireError(error) };
  } finally {
    for (const watch of watches) await watch?.close().catch((error: unknown) => warn(parts, error));
  }
}

/** Never rejects. Its scores are kept as they are made: what is cut short goes on with `exit-ml confirm`. */
async function confirmAtEnd(run: Run, crew: Crew, parts: RunParts, signal: AbortSignal): Promise<void> {
  const progress = (text: string): void => parts.emit({ type: "progress", text });
  for (const task of crew.tasks)
    await confirmTask(task, run.id, { ...parts, ...crew, progress }, signal).catch((error: unknown) => {
      if (!signal.aborted) warn(parts, error);
    });
}

function warn(parts: Pick<RunParts, "emit">, error: unknown): void {
  parts.emit({ type: "message", level: "warn", text: messageOf(error) });
}

function currentRun(store: Store, run: Run): Run {
  return store.runs().find((candidate) => candidate.id === run.id) ?? run;
}

function wireError(error: unknown): { reason: string; message: string } {
  return { reason: isExitError(error) ? error.reason : "internal", message: messageOf(error) };
}
