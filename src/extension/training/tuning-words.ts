/** Work with tuned models that is under way, in words. */
import type { TuningBoard, WatchedUpdate } from "../../client/tuning-board.ts";
import { count } from "../../client/words/format.ts";
import type { TuningJob } from "../../protocol/results.ts";

export const jobNames: Record<TuningJob, string> = {
  "fine-tune": "Fine-tune",
  gate: "Gate",
  rounds: "Bootstrap",
};

/** `Fine-tune: m2`. */
export function titleOf({ job, model }: TuningBoard): string {
  return model === null ? jobNames[job] : `${jobNames[job]}: ${model}`;
}

/** `update 5 of 16`, or what else it is at. */
export function stepOf({ text, update }: TuningBoard): string {
  if (update !== null) return `update ${update.update} of ${update.updates}`;
  return text === "" ? "getting ready" : text;
}

/** `update 5 of 16 · loss -0.0123 · KL 0.0004 · 812 tokens/s`. */
export function liveWords(board: TuningBoard): string {
  return [stepOf(board), ...(board.update === null ? [] : numbersOf(board.update))].join(" · ");
}

function numbersOf({ loss, kl, tokensPerSecond }: WatchedUpdate): string[] {
  return [`loss ${loss.toFixed(4)}`, `KL ${kl.toFixed(4)}`, `${count(tokensPerSecond)} tokens/s`];
}
