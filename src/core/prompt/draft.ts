/**
 * What of a prompt may give way, and in which order, when the model has no room for all of it. The role, the
 * request, the current solution and the format of the reply never do.
 *
 * 1. Context files are cut to a head of `leastHead` characters, beginning with the one listed last.
 * 2. Context files are left out, beginning with the one listed last.
 * 3. The feedback keeps `leastFeedback` characters of its start and end.
 */
import { harmless, headAndTail, headOf } from "./untrusted.ts";

interface Excerpt {
  /** The whole text, already harmless. */
  readonly text: string;
  /** Characters of it that are shown; 0: it is left out. */
  readonly room: number;
}

export interface Draft {
  readonly context: readonly (Excerpt & { readonly path: string })[];
  readonly feedback: Excerpt | null;
}

/** However much room there is, more than this only distracts. */
const mostContext = 8_000;
const mostFeedback = 4_000;
const leastHead = 400;
const leastFeedback = 600;

export function fullDraft(
  context: readonly { readonly path: string; readonly text: string }[],
  feedback: string | null,
): Draft {
  const said = feedback === null ? "" : harmless(feedback);
  return {
    context: context.map(({ path, text }) => excerpt(harmless(text), mostContext, path)),
    feedback: said.trim() === "" ? null : { text: said, room: Math.min(said.length, mostFeedback) },
  };
}

function excerpt(text: string, most: number, path: string): Draft["context"][number] {
  return { path, text, room: Math.min(text.length, most) };
}

export interface Shown {
  readonly context: readonly { readonly path: string; readonly text: string }[];
  readonly feedback: string | null;
}

/** The excerpts as they stand in the prompt. */
export function shown({ context, feedback }: Draft): Shown {
  return {
    context: context
      .filter((file) => file.room > 0)
      .map((file) => ({ path: file.path, text: headOf(file.text, file.room) })),
    feedback: feedback === null ? null : headAndTail(feedback.text, feedback.room),
  };
}

/** A draft about `characters` shorter, or as short as can be; null if nothing is left to shorten. */
export function shorten(draft: Draft, characters: number): Draft | null {
  let missing = characters;
  const context = [...draft.context];
  const cutTo = (least: number): void => {
    for (let index = context.length - 1; index >= 0 && missing > 0; index--) {
      const file = context[index];
      if (file === undefined || file.room <= least) continue;
      const room = least === 0 ? 0 : Math.max(least, file.room - missing);
      missing -= file.room - room;
      context[index] = { ...file, room };
    }
  };
  cutTo(leastHead);
  cutTo(0);
  let { feedback } = draft;
  if (feedback !== null && missing > 0 && feedback.room > leastFeedback) {
    const room = Math.max(leastFeedback, feedback.room - missing);
    missing -= feedback.room - room;
    feedback = { ...feedback, room };
  }
  return missing === characters ? null : { context, feedback };
}

/** One sentence for each excerpt that is not whole. */
export function shortenedParts({ context, feedback }: Draft): string[] {
  const sentences: string[] = [];
  for (const { path, text, room } of context) {
    if (room >= text.length) continue;
    sentences.push(
      room === 0
        ? `The context file ${path} was left out of the prompt.`
        : `The context file ${path} was cut to about ${room} of its ${text.length} characters.`,
    );
  }
  if (feedback !== null && feedback.room < feedback.text.length)
    sentences.push(
      `The feedback was cut to about ${feedback.room} of its ${feedback.text.length} characters; its start and end are kept.`,
    );
  return sentences;
}
