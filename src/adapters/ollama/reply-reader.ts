/** Puts a reply together from the chunks of its stream. */
import type { GenerateResponse } from "ollama";
import type { SampledReply, Token } from "../../core/history.ts";
import { createRepetitionGuard } from "../../core/repetition.ts";

export type ReadReply = Pick<SampledReply, "text" | "tokens" | "logprobs" | "finish">;

export interface ReplyReader {
  /** Takes the next chunk. @returns the reply, if the chunk ends it or shows that it is in a loop. */
  read(chunk: GenerateResponse): ReadReply | null;
}

export function createReplyReader(): ReplyReader {
  const tokens: Token[] = [];
  const logprobs: number[] = [];
  const guard = createRepetitionGuard();
  let text = "";
  /** Every piece of text came with its tokens. */
  let whole = true;

  const reply = (finish: ReadReply["finish"], isWhole: boolean): ReadReply =>
    isWhole ? { text, tokens, logprobs, finish } : { text, tokens: null, logprobs: null, finish };

  return {
    read(chunk) {
      const response = chunk.response ?? "";
      const given = chunk.logprobs ?? [];
      if (response !== "" && given.length === 0) whole = false;
      text += response;
      const texts = textsOf(
        response,
        given.map((entry) => entry.token),
      );
      tokens.push(...texts.map((piece) => ({ id: null, text: piece })));
      logprobs.push(...given.map((entry) => Math.min(0, entry.logprob)));
      const pieces = given.length > 0 ? given.map((entry) => entry.token) : response === "" ? [] : [response];
      let loops = false;
      for (const piece of pieces) loops = guard.repeats(piece) || loops;
      if (!chunk.done) return loops ? reply("repetition", whole) : null;
      const finish = finishOf(chunk.done_reason);
      return reply(finish, whole && hasAllTokens(tokens.length, chunk, finish));
    },
  };
}

/**
 * A character spread over several tokens comes in one chunk with them: it belongs to the last one, the earlier ones
 * have no text, so that the texts join to the reply.
 */
function textsOf(response: string, tokens: readonly string[]): readonly string[] {
  if (tokens.join("") === response) return tokens;
  return tokens.map((_, at) => (at === tokens.length - 1 ? response : ""));
}

function finishOf(reason: string): ReadReply["finish"] {
  if (reason === "stop") return "stop";
  return reason === "length" ? "length" : "lost";
}

/** The server drops tokens whose bytes make no character; it counts them, and the end token too. */
function hasAllTokens(count: number, chunk: GenerateResponse, finish: ReadReply["finish"]): boolean {
  const counted: number | undefined = chunk.eval_count;
  if (counted === undefined) return true;
  return counted === count || (finish === "stop" && counted === count + 1);
}
