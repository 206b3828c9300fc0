/**
 * Texts of tokens that join to the text of the reply. A character may be spread over several tokens: it belongs
 * to the token that completes it, and the earlier ones have the text before it, often nothing.
 */
import type { TokenId } from "./runtime.ts";

/** Tokens to text, given tokens that came before; bytes of an unfinished character become U+FFFD. */
export type Detokenize = (tokens: readonly TokenId[], before: readonly TokenId[]) => string;

/** No character of UTF-8 needs more tokens than it has bytes. */
const mostHeld = 4;
const unfinished = /\uFFFD+$/;

/** @param before the last tokens of the prompt. */
export function createPieces(detokenize: Detokenize, before: readonly TokenId[]) {
  const texts: string[] = [];
  let context = before;
  let held: TokenId[] = [];
  let heldText = "";
  let given = 0;

  const flush = () => {
    context = [...context, ...held].slice(-mostHeld);
    held = [];
    heldText = "";
    given = 0;
  };
  return {
    add(token: TokenId): void {
      held.push(token);
      heldText = detokenize(held, context);
      const complete = held.length > mostHeld ? heldText : heldText.replace(unfinished, "");
      texts.push(complete.slice(given));
      given = Math.max(given, complete.length);
      if (complete === heldText) flush();
    },
    /** One text per token. A character that never got complete is kept, as U+FFFD, with the last token. */
    end(): readonly string[] {
      const rest = heldText.slice(given);
      if (rest !== "") texts.push((texts.pop() ?? "") + rest);
      return texts;
    },
  };
}
