/** What the History view says while it has no rows. */
import type { Known } from "./runner/sessions.ts";

export type State =
  | "looking"
  | "noTask"
  | "brokenTask"
  | "noEngine"
  | "noImage"
  | "noModel"
  | "failed"
  | "ready";

export function stateOf({ hasTaskFile, failure, status, readiness }: Known): State {
  if (!hasTaskFile) return "noTask";
  if (failure !== null) return "failed";
  if (status === null || readiness === null) return "looking";
  const lacking = readiness.parts.find(({ ok }) => !ok);
  if (lacking === undefined) return "ready";
  return ({ task: "brokenTask", engine: "noEngine", image: "noImage", model: "noModel" } as const)[
    lacking.part
  ];
}
