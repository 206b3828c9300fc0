/** What the History view says while it has no rows. */
import type { Readiness } from "../protocol/results.ts";
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

const stateWithout: Record<Readiness["parts"][number]["part"], State> = {
  task: "brokenTask",
  engine: "noEngine",
  image: "noImage",
  // A run says what it is refused for, and how to go on all the same.
  sandbox: "ready",
  model: "noModel",
};

export function stateOf({ hasTaskFile, failure, status, readiness }: Known): State {
  if (!hasTaskFile) return "noTask";
  if (failure !== null) return "failed";
  if (status === null || readiness === null) return "looking";
  const lacking = readiness.parts.find(({ ok }) => !ok);
  if (lacking === undefined) return "ready";
  return stateWithout[lacking.part];
}
