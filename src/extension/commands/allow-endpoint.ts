/** Consent to a model server on another machine, which sees the user's code. */
import { window } from "vscode";
import { ExitError } from "../../protocol/errors.ts";
import type { Session } from "../runner/session.ts";

/** @throws ExitError `cancelled`. */
export async function allowEndpoint(session: Session, endpoint: string | null): Promise<void> {
  const allow = "Allow";
  const chosen = await window.showWarningMessage(
    `Send prompts to ${endpoint ?? "the address in OLLAMA_HOST"}?`,
    {
      modal: true,
      detail:
        "That is not this machine. Prompts hold your code and the first lines of the data files the task shows to the model. The answer is kept for this user, outside the workspace.",
    },
    allow,
  );
  if (chosen !== allow) throw new ExitError("cancelled", "The address was not allowed.");
  await session.call("allowEndpoint", { endpoint });
}
