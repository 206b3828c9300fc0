/** Thinking of reasoning models stands before the answer and is no part of it. */
import { refuse } from "./refusal.ts";

const opening = /^\s*<(think|thinking|reasoning|thought)>/;
/** Alone on its line: templates that open the block in the prompt leave only this in the reply. */
const orphanClosing = /^[ \t]*<\/(?:think|thinking|reasoning|thought)>[ \t]*\r?$/gm;

/** Where the answer begins in `text`: 0 for a reply without thinking. */
export function answerStart(text: string): number {
  const opened = opening.exec(text);
  if (opened !== null) {
    const closing = `</${opened[1]}>`;
    const at = text.indexOf(closing, opened[0].length);
    if (at < 0) return refuse("The reply ended while still thinking, without an answer.");
    return at + closing.length;
  }
  const orphans = [...text.matchAll(orphanClosing)];
  const orphan = orphans[0];
  if (orphan === undefined || orphans.length > 1 || insideFence(text.slice(0, orphan.index))) return 0;
  return orphan.index + orphan[0].length;
}

/** A closing tag in a file that is being written is content. */
function insideFence(before: string): boolean {
  return (before.match(/^ {0,3}(?:`{3,}|~{3,}).*$/gm) ?? []).length % 2 === 1;
}
