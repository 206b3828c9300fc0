/** Asks for a number. */
import { window } from "vscode";

/** Undefined if the question was closed. @param problemIn what is wrong with a number */
export async function askNumber(
  title: string,
  prompt: string,
  problemIn: (value: number) => string | undefined,
): Promise<number | undefined> {
  const typed = await window.showInputBox({
    title,
    prompt,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === "" ? "A number is needed." : problemIn(Number(text))),
  });
  return typed === undefined ? undefined : Number(typed);
}

export const anyNumber = (value: number) => (Number.isFinite(value) ? undefined : "It must be a number.");
export const positive = (value: number) =>
  value > 0 && Number.isFinite(value) ? undefined : "It must be above 0.";
export const whole = (value: number) =>
  Number.isSafeInteger(value) && value > 0 ? undefined : "It must be a whole number above 0.";
