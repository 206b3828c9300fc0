/** What a run has spent, in words. */
import type { Run } from "../../protocol/results.ts";
import { count, duration, percent, plural } from "./format.ts";

/** `12 iterations, 9,300 tokens, 4 min 05 s; 25 of 90 scores known before (28 %); model busy 93 %, sandbox 71 %` */
export function spentWords({ iterations, tokens, ms, modelMs, sandboxMs, ...scores }: Run["spent"]): string {
  const { scored, reused } = scores;
  const known =
    scored === 0 ? "" : `; ${reused} of ${scored} scores known before (${percent(reused / scored)})`;
  const all = `${plural(iterations, "iteration")}, ${count(tokens)} tokens, ${duration(ms)}${known}`;
  // Nothing is known of runs that older versions made, nor before the first iteration is closed.
  if (ms === 0 || modelMs + sandboxMs === 0) return all;
  return `${all}; model busy ${percent(modelMs / ms)}, sandbox ${percent(sandboxMs / ms)}`;
}
