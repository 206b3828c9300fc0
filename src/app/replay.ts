/** Replaying a run of the workspace, finished or not, from what the store holds. */
import { ExitError } from "../core/errors.ts";
import type { Sha256, Store } from "../core/ports.ts";
import { readRecord } from "../core/record.ts";
import { replayRun } from "../core/replay.ts";
import type { ReplayReport } from "../core/reports.ts";

/** @throws ExitError `run-unknown`. */
export function replay(
  id: string,
  { store, sha256 }: { readonly store: Store; readonly sha256: Sha256 },
): ReplayReport {
  const record = readRecord(store);
  const run = record.runs.get(id);
  if (run === undefined) {
    const known = [...record.runs.keys()];
    const there = known.length > 0 ? `There are: ${known.join(", ")}.` : "There is none yet.";
    throw new ExitError("run-unknown", `There is no run "${id}". ${there}`);
  }
  return replayRun({
    run,
    record,
    open: store.openGroups(id).map(({ group }) => group),
    groupOf(group) {
      const whole = store.group(group);
      if (whole === null) throw new RangeError(`group ${group} is not stored`);
      return whole;
    },
    buffer: store.buffer(),
    sha256,
  });
}
