/** The context planner: a prompt that fits the model's context, or an error; never a silent cut (DESIGN.md section 6). */
import { ExitError } from "../errors.ts";
import type { Message } from "../history.ts";
import { fullDraft, shorten, shortenedParts, shown } from "./draft.ts";
import { type PromptRequest, writePrompt } from "./parts.ts";

/** Renders messages with the model's own chat template and counts the tokens. Each call may cost a round trip. */
export type Fits = (
  messages: readonly Message[],
) => Promise<{ readonly rendered: string; readonly tokens: number }>;

export interface BuiltPrompt {
  readonly messages: readonly Message[];
  readonly rendered: string;
  readonly tokens: number;
  /** One sentence for each part that was shortened or left out. */
  readonly shortened: readonly string[];
}

/** Each round estimates from the last count how much must go; the last one takes all that may. */
const rounds = 4;

/**
 * @param room `contextLength` and `maxReplyTokens` in tokens: the prompt may take the difference.
 * @throws ExitError `context-overflow` if even the shortest prompt does not fit; `format-unsupported` for tasks
 *   whose replies cannot be read.
 */
export async function buildPrompt(
  request: PromptRequest,
  fits: Fits,
  room: { readonly contextLength: number; readonly maxReplyTokens: number },
): Promise<BuiltPrompt> {
  const { task } = request;
  const { format } = task.definition.solution;
  if (format !== "code" && format !== "json")
    throw new ExitError(
      "format-unsupported",
      `The task "${task.id}" has solution format "${format}", which cannot be run yet. Use "code" or "json".`,
    );
  const limit = room.contextLength - room.maxReplyTokens;
  let draft = fullDraft(task.context, request.feedback);
  for (let round = 1; ; round++) {
    const messages = writePrompt(request, shown(draft));
    const { rendered, tokens } = await fits(messages);
    if (tokens <= limit) return { messages, rendered, tokens, shortened: shortenedParts(draft) };
    const characters = messages.reduce((sum, message) => sum + message.content.length, 0);
    // A tenth more than the average says: program output has fewer characters a token than prose.
    const excess = Math.ceil((tokens - limit) * (characters / tokens) * 1.1) + 80;
    const shorter = shorten(draft, round < rounds ? excess : Number.POSITIVE_INFINITY);
    if (shorter === null) throw overflow(request, tokens, room);
    draft = shorter;
  }
}

function overflow(
  { task }: PromptRequest,
  tokens: number,
  { contextLength, maxReplyTokens }: { readonly contextLength: number; readonly maxReplyTokens: number },
): ExitError {
  const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  return new ExitError(
    "context-overflow",
    `The prompt of task "${task.id}" takes at least ${count(tokens)} tokens (request, solution and reply format, ` +
      `which are never cut), but the model has room for ${count(Math.max(0, contextLength - maxReplyTokens))}: ` +
      `a context of ${count(contextLength)} less ${count(maxReplyTokens)} for the reply. ` +
      "Give the model a longer context, lower maxReplyTokens, or make the solution smaller.",
  );
}
