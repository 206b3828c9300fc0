/** A closed group of replies with these rewards; the quality of each is its reward, none being below 0. */
import type { Group, Reply } from "../../../../src/core/history.ts";

export function reply(index: number, reward: number | null, change: Partial<Reply> = {}): Reply {
  return {
    ...{ index, seed: index, text: `<think>t</think>reply ${index}`, answer: `reply ${index}`, tokens: null },
    ...{ logprobs: null, finish: "stop", constrained: null, ms: 1, edit: null, snapshot: null },
    ...{ verdict: reward === null ? "infra" : "scored", score: reward, qualitySE: null, feedback: null },
    ...{ node: null, reward, advantage: null, diversity: null, distance: null },
    quality: reward === null ? null : Math.max(0, reward),
    ...change,
  };
}

export function group(replies: readonly Reply[], change: Partial<Group> = {}): Group {
  return {
    ...{ id: "g1", run: "r1", iteration: 0, attempt: 0, task: "digits", start: "n1", fromBuffer: false },
    ...{ goal: "improve", strategy: "exit", policy: "m@d.t#v0", startQuality: 0.5, startSnapshot: "s1" },
    ...{ startSE: null, reward: { rule: "absolute", lambda: 0.1 }, draws: {}, seeds: [], basis: 0, roots: 1 },
    ...{ evaluator: "e", state: "closed", closedSeq: 1, learnability: 0.02, informative: true },
    prompt: {
      messages: [
        { role: "system", content: "You improve." },
        { role: "user", content: "Do." },
      ],
      rendered: "<s>You improve. Do.",
    },
    replies,
    ...change,
  };
}

/** Numbers of the replies in a list of messages. */
export const numberIn = (messages: readonly { readonly content: string }[]): number =>
  Number(/\d+$/.exec(messages.at(-1)?.content ?? "")?.[0]);
