/** The native form: one group a line, whole, as the bundled trainer reads it (EXIT.md section 5). */
import { z } from "zod";
import { type Group, goals, strategies } from "../history.ts";
import { verdicts } from "../verdict.ts";
import type { Convert } from "./examples.ts";

/** Raised when a field changes its meaning. */
export const exportVersion = 1;

const nullable = <T extends z.ZodType>(type: T): z.ZodNullable<T> => type.nullable();
const text = z.string();
const number = z.number();

const replySchema = z.object({
  index: z.int(),
  text,
  answer: nullable(text),
  snapshot: nullable(text),
  tokens: nullable(z.array(z.object({ id: nullable(z.int()), text }))),
  logprobs: nullable(z.array(number)),
  seed: z.int(),
  finish: text,
  constrained: nullable(text),
  edit: nullable(
    z.object({ kind: text, repairs: z.array(text), problem: nullable(text), paths: z.array(text) }),
  ),
  node: nullable(text),
  verdict: nullable(z.enum(verdicts)),
  score: nullable(number),
  quality: nullable(number),
  reward: nullable(number),
  advantage: nullable(number),
  diversity: nullable(number),
  /** False where `tokens` and `logprobs` do not match one to one: the trainer leaves such a reply out. */
  tokensMatch: z.boolean(),
  ms: number,
});

export const groupRowSchema = z.object({
  version: z.literal(exportVersion),
  id: text,
  run: text,
  iteration: z.int(),
  task: text,
  start: text,
  fromBuffer: z.boolean(),
  goal: z.enum(goals),
  strategy: z.enum(strategies),
  policy: text,
  prompt: z.object({ messages: z.array(z.object({ role: text, content: text })), rendered: text }),
  startQuality: nullable(number),
  startSnapshot: nullable(text),
  startSE: nullable(number),
  reward: z.object({ rule: z.enum(["relative", "absolute"]), lambda: number }),
  learnability: number,
  draws: z.record(text, number),
  replies: z.array(replySchema),
});

export type GroupRow = z.infer<typeof groupRowSchema>;

/** Row of a closed, informative group. */
function groupRow(group: Group, learnability: number): GroupRow {
  const { id, run, iteration, task, start, fromBuffer, goal, strategy, policy, startQuality } = group;
  const { startSnapshot, startSE, reward, prompt } = group;
  return {
    version: exportVersion,
    ...{ id, run, iteration, task, start, fromBuffer, goal, strategy, policy, startQuality },
    ...{ startSnapshot, startSE, reward, learnability },
    prompt: { messages: [...prompt.messages], rendered: prompt.rendered },
    draws: { ...group.draws },
    replies: group.replies.map((reply) => {
      const { feedback: _, qualitySE: __, distance: ___, edit, tokens, logprobs, ...rest } = reply;
      return {
        ...rest,
        edit: edit && { ...edit, repairs: [...edit.repairs], paths: [...edit.paths] },
        tokens: tokens && [...tokens],
        logprobs: logprobs && [...logprobs],
        tokensMatch: logprobs === null || tokens?.length === logprobs.length,
      };
    }),
  };
}

/** Groups as they are, none of their replies left out. */
export const toNative: Convert<GroupRow> = (group) => ({
  rows: group.learnability === null ? [] : [groupRow(group, group.learnability)],
  left: [],
});
