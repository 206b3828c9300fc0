/** What a run has spent, in words. */
import type { Run } from "../../protocol/results.ts";
import { count, duration, percent, plural } from "./format.ts";

/** `12 iterations, 9,300 tokens, 4 min 05 s; model busy 93 %, sandbox 71 %` */
export function spentWords({ iterations, tokens, ms, modelMs, sandboxMs }: Run["spent"]): string {
  const all = `${plural(iterations, "iteration")}, ${count(tokens)} tokens, ${duration(ms)}`;
  // Nothing is known of runs that older versions made, nor before the first iteration is closed.
  if (ms === 0 || modelMs + sandboxMs === 0) return all;
  return `${all}; model busy ${percent(modelMs / ms)}, sandbox ${percent(sandboxMs / ms)}`;
}
