/** Draws one reply on one sequence. */
import type { Finish } from "../../core/history.ts";
import { createRepetitionGuard } from "../../core/repetition.ts";
import type { Engine } from "./load.ts";
import { createPieces } from "./pieces.ts";
import type { Grammar, Sequence, TokenId } from "./runtime.ts";

export interface DrawnReply {
  /** Without the end token. */
  readonly tokens: readonly TokenId[];
  /** Of each token; join to the text of the reply. */
  readonly texts: readonly string[];
  /** Of the bare model; null under a grammar. */
  readonly logprobs: readonly number[] | null;
  readonly finish: Finish;
}

export interface Drawing {
  readonly seed: number;
  readonly maxTokens: number;
  readonly grammar: Grammar | null;
  /** Asked after each token; false stops. */
  readonly proceed: () => boolean;
}

/** Logarithm of the smallest probability the runtime can tell from zero. */
const leastLogprob = -87;

/**
 * @param sequence in the state after `prompt` but its last token.
 * @returns null if stopped.
 */
export async function sampleReply(
  engine: Engine,
  sequence: Sequence,
  prompt: readonly TokenId[],
  { seed, maxTokens, grammar, proceed }: Drawing,
): Promise<DrawnReply | null> {
  const { model } = engine;
  const tokens: TokenId[] = [];
  const logprobs: number[] = [];
  const pieces = createPieces((list, before) => model.detokenize(list, true, before), prompt.slice(-4));
  const guard = createRepetitionGuard();
  const drawn = (finish: Finish): DrawnReply => ({
    tokens,
    texts: pieces.end(),
    logprobs: grammar === null ? logprobs : null,
    finish,
  });

  const stream = sequence.evaluateWithMetadata(
    prompt.slice(-1),
    { confidence: grammar === null },
    {
      temperature: 1,
      topK: 0,
      topP: 1,
      minP: 0,
      seed: runtimeSeed(seed),
      yieldEogToken: true,
      ...(grammar === null ? {} : { grammarEvaluationState: grammarState(engine, grammar) }),
    },
  );
  for await (const { token, confidence } of stream) {
    if (!proceed()) return null;
    if (model.isEogToken(token)) return drawn("stop");
    tokens.push(token);
    pieces.add(token);
    if (confidence !== undefined) logprobs.push(Math.min(0, Math.max(leastLogprob, Math.log(confidence))));
    if (guard.repeats(token)) return drawn("repetition");
    if (tokens.length >= maxTokens) return drawn("length");
  }
  return drawn("stop");
}

/** The runtime reads 32 bits of a seed, and takes the greatest of them for "any seed". */
function runtimeSeed(seed: number): number {
  return seed % 0xffffffff;
}

function grammarState({ runtime, model }: Engine, grammar: Grammar) {
  return new runtime.LlamaGrammarEvaluationState({ model, grammar });
}
