/**
 * Text that a model, a sandbox or a file made, safe to show: such text can hold escape sequences that move the
 * cursor, rename the window or hide a line.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
/** All controls but tab and line feed, and the marks that reorder text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function printable(text: string): string {
  return text.replace(escapes, "").replace(/\r\n/g, "\n").replace(controls, "");
}

/** One line of it, at most `length` characters long. */
export function oneLine(text: string, length: number): string {
  const line = printable(text).replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, Math.max(0, length - 1))}…` : line;
}
