/** A long call shown as a notification that tells its steps and can be cancelled. */
import { ProgressLocation, window } from "vscode";
import { ExitError } from "../../protocol/errors.ts";
import type { Session } from "../runner/session.ts";

export async function callWithProgress<T>(
  session: Session,
  title: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const cancelled = new AbortController();
      const listening = [
        token.onCancellationRequested(() => cancelled.abort(new ExitError("cancelled", "Cancelled."))),
        session.onEvent((event) => {
          if (event.type === "progress") progress.report({ message: event.text });
        }),
      ];
      try {
        return await call(cancelled.signal);
      } finally {
        for (const one of listening) one.dispose();
      }
    },
  );
}
