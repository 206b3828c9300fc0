/**
 * Log-probabilities of the bare model for tokens that were drawn under a grammar: while drawing, the runtime only
 * gives probabilities among the tokens the grammar allows. So the finished reply is evaluated once more, all its
 * tokens at a time, without the grammar.
 */
import type { Sequence, TokenId } from "./runtime.ts";

/** Tokens scored at a time: bounds the memory of the logits, vocabulary x 4 bytes for each. */
const chunk = 64;

/**
 * @param sequence in the state after the prompt but its last token, `last`.
 * @param proceed asked between parts; false stops.
 * @returns one natural logarithm per token, or null if stopped.
 */
export async function scoreTokens(
  sequence: Sequence,
  last: TokenId,
  tokens: readonly TokenId[],
  proceed: () => boolean,
): Promise<number[] | null> {
  const logprobs: number[] = [];
  for (let from = 0; from < tokens.length; from += chunk) {
    const targets = tokens.slice(from, from + chunk);
    const input = targets.map((target, at) => {
      const before = tokens[from + at - 1] ?? last;
      return [before, { generateNext: scoring(target) }] as const;
    });
    const outputs = await sequence.controlledEvaluate(input);
    for (const [at, target] of targets.entries()) logprobs.push(logprob(outputs[at], target));
    if (!proceed()) return null;
  }
  return logprobs;
}

/** Temperature 0 selects the likeliest token, whose logit is the greatest one. */
const scoring = (target: TokenId) => ({
  logits: { filter: { tokens: [target], includeSelected: true } },
  totalLogitWeight: true,
  options: { temperature: 0 },
});

function logprob(
  output:
    | {
        readonly next: { readonly logits?: ReadonlyMap<TokenId, number>; readonly totalLogitWeight?: number };
      }
    | undefined,
  target: TokenId,
): number {
  const logit = output?.next.logits?.get(target);
  const weight = output?.next.totalLogitWeight;
  if (logit === undefined || weight === undefined) throw new Error("The runtime returned no logits.");
  const greatest = Math.max(...(output?.next.logits?.values() ?? []));
  return Math.min(0, logit - greatest - Math.log(weight));
}
