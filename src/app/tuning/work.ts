/** Which job does what. */
import { setTimeout as delay } from "node:timers/promises";
import type { TuningOutcome } from "../../core/reports.ts";
import type { TuningRequest } from "../app.ts";
import { refuseForm } from "./base-model.ts";
import { fineTune } from "./fine-tune.ts";
import { passGate, refuseUnprovable } from "./gate.ts";
import type { TuningParts } from "./parts.ts";
import { promote } from "./promote.ts";
import { bootstrap, type RoundsParts } from "./rounds.ts";

export async function workOn(
  request: TuningRequest,
  parts: TuningParts & Pick<RoundsParts, "runToItsEnd">,
  signal: AbortSignal,
): Promise<TuningOutcome> {
  switch (request.job) {
    case "fine-tune":
      return { job: "fine-tune", model: await fineTune(request, parts, signal) };
    case "gate":
      return { job: "gate", gate: await passGate(request, parts, signal) };
    case "rounds": {
      const steps: RoundsParts = {
        ...parts,
        fineTune: (asked, begun, until) => fineTune(asked, parts, until, begun),
        passGate: (asked, until) => passGate(asked, parts, until),
        promote: (asked, until) => promote(asked, parts, until),
        pause: (ms, until) => delay(ms, undefined, { signal: until }).catch(() => until.throwIfAborted()),
        refuseHopeless: async (asked, until) => {
          await refuseUnprovable(parts);
          await refuseForm(asked, asked.settings.training.form, parts, until);
        },
      };
      return { job: "rounds", bootstrap: await bootstrap(request, steps, signal) };
    }
  }
}
