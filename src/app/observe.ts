/** What a run tells while its loop is going. */
import type { Node } from "../core/history.ts";
import type { Observer } from "../core/ports.ts";
import type { RunParts } from "./run-parts.ts";
import { bestOf, comparableIn } from "./tree.ts";

export function observe({ emit, store }: Pick<RunParts, "emit" | "store">): Observer {
  const best = new Map<string, Node | null>();
  // No root comes into force while a run lasts.
  const comparable = comparableIn(store);
  const bestWith = (task: string, made: readonly Node[]): Node | null => {
    const known = best.has(task) ? (best.get(task) ?? null) : bestOf(store.nodes(), task, comparable);
    const now = bestOf(known === null ? made : [known, ...made], task, comparable);
    best.set(task, now);
    return now;
  };
  return {
    groupOpened: (opening, promptTokens) => emit({ type: "groupOpened", opening, promptTokens }),
    replySampled: (group, reply) => {
      const { index, finish, ms } = reply;
      emit({
        type: "replySampled",
        group,
        reply: { index, finish, ms, tokens: reply.tokens?.length ?? null },
      });
    },
    replyScored: (group, index, outcome) => {
      const { verdict, score, quality, snapshot, feedback } = outcome;
      emit({ type: "replyScored", group, index, outcome: { verdict, score, quality, snapshot, feedback } });
    },
    groupClosed: (closing, opening) => {
      const { group, state, learnability, informative, nodes, spent } = closing;
      const brief = { state, learnability, informative, nodes };
      const { iteration, task } = opening;
      emit({ type: "groupClosed", group, iteration, closing: brief, best: bestWith(task, nodes), spent });
    },
    message: (level, text) => emit({ type: "message", level, text }),
  };
}
