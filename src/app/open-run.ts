/** Opening a run in the records, or finding the one to go on with (EXIT.md section 1). */
import { randomInt } from "node:crypto";
import { defaultCapacity } from "../core/buffer.ts";
import { nothingSpent, type Provenance, type Run } from "../core/history.ts";
import { settingsFor } from "../core/paper.ts";
import type { Clock, ResolvedTask, Store } from "../core/ports.ts";
import type { Settings } from "../core/settings.ts";
import type { RunRequest } from "./app.ts";

/** The unfinished run of the same tasks, or a new one. Rounds and the user leave each other's alone. */
export function openRun(
  request: RunRequest,
  tasks: readonly ResolvedTask[],
  provenance: Provenance,
  parts: { readonly store: Store; readonly clock: Clock },
): { run: Run; continued: boolean } {
  const names = tasks.map((task) => task.id).sort();
  const runs = parts.store.runs();
  const isOfRound = request.budget.informative !== undefined;
  const unfinished = runs.findLast(
    (run) =>
      run.endedAt === null &&
      run.tasks.join("\n") === names.join("\n") &&
      (run.budget.informative !== undefined) === isOfRound,
  );
  if (unfinished !== undefined) {
    const { spent, budget } = unfinished;
    // Killed between its last iteration and the note that it had ended.
    const exhausted = budget.iterations !== null && spent.iterations >= budget.iterations;
    if (!request.fresh && !exhausted)
      return { run: withAllowed(unfinished, provenance, parts.store), continued: true };
    const endedBy = exhausted ? "iterations" : "replaced";
    parts.store.updateRun(unfinished.id, { spent, endedAt: parts.clock.now(), endedBy });
  }
  const settings = newSettings(request, tasks);
  const run: Run = {
    id: `r${runs.length + 1}`,
    seed: request.seed ?? randomInt(2 ** 31),
    tasks: names,
    strategy: request.strategy,
    settings: { ...settings, capacity: settings.capacity ?? defaultCapacity(names.length) },
    budget: request.budget,
    startedAt: parts.clock.now(),
    endedAt: null,
    endedBy: null,
    provenance,
    spent: nothingSpent,
  };
  parts.store.openRun(run);
  return { run, continued: false };
}

/** @throws ExitError `setting-invalid`. */
export function newSettings({ settings, strategy }: RunRequest, tasks: readonly ResolvedTask[]): Settings {
  return settingsFor(
    settings,
    strategy,
    tasks.map((task) => task.definition.solution.format),
  );
}

/** A run that goes on keeps what it was begun with, and adds what the user allowed it since. */
function withAllowed(run: Run, now: Provenance, store: Store): Run {
  const before = run.provenance?.allowedMissing ?? [];
  const added = now.allowedMissing.filter((name) => !before.includes(name));
  if (added.length === 0) return run;
  const provenance = { ...(run.provenance ?? now), allowedMissing: [...before, ...added] };
  store.updateRun(run.id, { spent: run.spent, provenance });
  return { ...run, provenance };
}
