import { ExitError } from "../../protocol/errors.ts";

/** The answer to a question, unless it was closed without one. @throws ExitError `cancelled`. */
export function given<T>(answer: T | undefined, what: string): T {
  if (answer === undefined) throw new ExitError("cancelled", `${what} was not chosen.`);
  return answer;
}
