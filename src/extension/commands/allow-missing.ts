/** Consent to run although the sandbox does not hold something a run relies on. Asked each time, kept nowhere. */
import { window } from "vscode";
import { ExitError } from "../../protocol/errors.ts";
import { missingIn } from "../../protocol/results.ts";

/** @param message of `guarantee-missing` @returns what the user allows to be missing @throws ExitError `cancelled`. */
export async function allowMissing(message: string): Promise<ReturnType<typeof missingIn>> {
  const names = missingIn(message);
  const anyway = names.length === 1 ? "Run without it" : "Run without them";
  // The last line tells how to do this on the command line.
  const [heading = "", ...rest] = message.split("\n").slice(0, -1);
  const detail = rest.join("\n\n");
  const chosen = await window.showWarningMessage(heading, { modal: true, detail }, anyway);
  if (chosen !== anyway) throw new ExitError("cancelled", `Not run without ${names.join(", ")}.`);
  return names;
}
