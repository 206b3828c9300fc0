/** What a user can be asked when work does not begin: consent, or a model. */
import { isExitError } from "../../protocol/errors.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import type { Session } from "../runner/session.ts";
import { modelSettings } from "../settings.ts";
import { allowEndpoint } from "./allow-endpoint.ts";
import { allowMissing } from "./allow-missing.ts";
import { chooseModel } from "./select-model.ts";

type Allowed = RequestOf<"startRun">["allowMissing"];

/** Reasons that `withConsent` asks for: nothing else has to tell of them. */
export const askedFor: ReadonlySet<string> = new Set([
  "endpoint-consent",
  "model-needed",
  "guarantee-missing",
]);

/**
 * Tries until it works, asking in between for what it lacks.
 * @param attempt gets the guarantees of the sandbox the user agreed to do without
 * @throws ExitError what it ends with else; `cancelled` where the user does not agree.
 */
export async function withConsent<T>(
  session: Session,
  attempt: (allowed: Allowed) => Promise<T>,
): Promise<T> {
  let allowed: Allowed = [];
  for (;;) {
    try {
      return await attempt(allowed);
    } catch (error) {
      if (isExitError(error, "endpoint-consent")) await allowEndpoint(session, modelSettings().endpoint);
      else if (isExitError(error, "model-needed")) await chooseModel(session);
      else if (isExitError(error, "guarantee-missing"))
        allowed = [...allowed, ...(await allowMissing(error.message))];
      else throw error;
    }
  }
}
