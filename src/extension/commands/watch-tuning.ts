/**
 * Begins work with tuned models and shows it in a notification of this window. The work needs no window: after a
 * reload the Training view has it again, and its end is told there (tuning-ended.ts).
 */
import { ProgressLocation, window } from "vscode";
import { ExitError } from "../../protocol/errors.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import type { Session } from "../runner/session.ts";
import { jobNames, liveWords } from "../training/tuning-words.ts";
import { askedFor } from "./ask-consent.ts";

/** Resolves when it has ended, however. @throws ExitError why it did not begin, and what `withConsent` asks for. */
export async function watchTuning(session: Session, request: RequestOf<"startTuning">): Promise<void> {
  const title = jobNames[request.job];
  await window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      let settle: { readonly resolve: () => void; readonly reject: (error: Error) => void };
      const ended = new Promise<void>((resolve, reject) => {
        settle = { resolve, reject };
      });
      const listening = [
        token.onCancellationRequested(() => void session.call("stopRun", {}).catch(() => undefined)),
        session.onGone(() => settle.resolve()),
        session.onEvent((event) => {
          if (session.tuning !== null) progress.report({ message: liveWords(session.tuning) });
          if (event.type !== "tuningEnded") return;
          const { error } = event;
          if (error !== null && askedFor.has(error.reason))
            settle.reject(new ExitError(error.reason, error.message));
          else settle.resolve();
        }),
      ];
      ended.catch(() => undefined); // where it does not even begin
      try {
        await session.call("startTuning", request);
        await ended;
      } finally {
        for (const one of listening) one.dispose();
      }
    },
  );
}
