/** A command written as one text, split as a shell would split it, without anything else a shell does. */
import { ExitError } from "../../protocol/errors.ts";

/** @throws ExitError `usage` for a quote that is not closed. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let begun = false;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    const next = text.charAt(i + 1);
    if (char === "\\" && quote !== "'" && (quote === "" || next === '"' || next === "\\") && next !== "") {
      word += next;
      begun = true;
      i++;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      begun = true;
    } else if (/\s/.test(char)) {
      if (begun) words.push(word);
      word = "";
      begun = false;
    } else {
      word += char;
      begun = true;
    }
  }
  if (quote !== "") throw new ExitError("usage", `A quote is not closed in: ${text}`);
  if (begun) words.push(word);
  return words;
}
