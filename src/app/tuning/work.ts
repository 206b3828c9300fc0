/** Which job does what. */
import type { TuningOutcome } from "../../core/reports.ts";
import type { TuningRequest } from "../app.ts";
import { fineTune } from "./fine-tune.ts";
import { passGate } from "./gate.ts";
import { bootstrap, type RoundsParts } from "./rounds.ts";

export async function workOn(
  request: TuningRequest,
  parts: RoundsParts,
  signal: AbortSignal,
): Promise<TuningOutcome> {
  switch (request.job) {
    case "fine-tune":
      return { job: "fine-tune", model: await fineTune(request, parts, signal) };
    case "gate":
      return { job: "gate", gate: await passGate(request, parts, signal) };
    case "rounds":
      return { job: "rounds", bootstrap: await bootstrap(request, parts, signal) };
  }
}
