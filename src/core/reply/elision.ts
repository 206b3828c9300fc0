/** Comments that stand for code a model did not write out: applied literally, they would delete it. */

const comment = /^\s*(?:#|\/\/|--|\/\*|<!--|%|;)+\s*\[?\(?(.*)$/;
const leftOut =
  /^(?:\.\.\.|…)|\b(?:rest|remainder) of (?:the |your |this )?(?:code|file|script|function|class|program|module)\b|\b(?:existing|previous|unchanged|original|same|other) (?:code|file|functions?|imports?|methods?|lines)\b.*(?:\.\.\.|…|\bhere\b|unchanged|as before|remains?)/i;

/** The first line that stands for left-out code and was not in the file already; null if there is none. */
export function elisionIn(lines: readonly string[], known: ReadonlySet<string>): string | null {
  for (const line of lines) {
    const text = comment.exec(line)?.[1];
    if (text !== undefined && leftOut.test(text) && !known.has(line)) return line.trim();
  }
  return null;
}
