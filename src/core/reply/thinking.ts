/** Thinking of reasoning models stands before the answer and is no part of it. */
import { refuse } from "./refusal.ts";

const opening = /^\s*<(think|thinking|reasoning|thought)>/;
/** Alone on its line: templates that open the block in the prompt leave only this in the reply. */
const orphanClosing = /^[ \t]*<\/(?:think|thinking|reasoning|thought)>[ \t]*\r?$/gm;

/**
 * Where the answer begins in `text`: 0 for a reply without thinking.
 * @param isOpen does the text up to here end inside content that is being written? A closing tag there is content.
 */
export function answerStart(text: string, isOpen: (before: string) => boolean): number {
  const opened = opening.exec(text);
  if (opened !== null) {
    const closing = `</${opened[1]}>`;
    const at = text.indexOf(closing, opened[0].length);
    if (at < 0) return refuse("The reply ended while still thinking, without an answer.");
    return at + closing.length;
  }
  for (const orphan of text.matchAll(orphanClosing))
    if (!isOpen(text.slice(0, orphan.index))) return orphan.index + orphan[0].length;
  return 0;
}
