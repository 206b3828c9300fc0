/** Starts work with tuned models over a connection and tells its story until it ends. */
import type { Client } from "../client/connect.ts";
import { ExitError } from "../protocol/errors.ts";
import type { EventOf, RunEvent } from "../protocol/events.ts";
import type { RequestOf } from "../protocol/methods.ts";
import { type Context, saidBy } from "./context.ts";

export type Outcome = NonNullable<EventOf<"tuningEnded">["outcome"]>;

/** Resolves with what came of it. @throws ExitError what it ended with, `detached` where the user left it alone. */
export async function watchTuning(
  client: Client,
  request: RequestOf<"startTuning">,
  context: Context,
): Promise<Outcome> {
  let asked = false;
  let settle: { readonly resolve: (outcome: Outcome) => void; readonly reject: (error: Error) => void };
  const ended = new Promise<Outcome>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const stopListening = client.onEvent((event) => {
    if (context.json) context.host.out(`${JSON.stringify(event)}\n`);
    else for (const line of tell(event)) context.say(line);
    if (event.type !== "tuningEnded") return;
    if (event.outcome !== null) settle.resolve(event.outcome);
    else
      settle.reject(new ExitError(event.error?.reason ?? "internal", event.error?.message ?? "It failed."));
  });
  const stopWaiting = context.host.onInterrupt(() => {
    if (asked) {
      settle.reject(
        new ExitError("cancelled", "Left alone; it ends by itself, and the same command goes on."),
      );
      return;
    }
    asked = true;
    context.say("\nEnding …; the same command goes on from there. Ctrl-C again leaves at once.");
    void client.call("stopRun", {}).catch(() => undefined);
  });
  const gone = client.closed.then(() => {
    throw new ExitError(
      "runner-gone",
      "The runner ended in the middle of it; .exit/logs/runner.log may say why. What was finished is kept: the same command goes on from there.",
    );
  });
  gone.catch(() => undefined); // hanging up ourselves at the end is no error
  ended.catch(() => undefined);
  try {
    await client.call("startTuning", request);
    return await Promise.race([ended, gone]);
  } catch (error) {
    // Stopped on request: nothing went wrong.
    if (asked && error instanceof ExitError && error.reason === "stopped")
      throw new ExitError("cancelled", error.message, { cause: error });
    throw error;
  } finally {
    stopWaiting();
    stopListening();
  }
}

function tell(event: RunEvent): string[] {
  if (event.type === "trainer") return [event.event.text];
  if (event.type === "groupClosed") {
    const { iteration, closing, best } = event;
    const what = closing.state === "infra" ? "lost" : closing.informative ? "informative" : "not informative";
    const found = best === null ? "" : `, best so far ${best.id}`;
    return [`iteration ${iteration + 1}: ${what}${found}`];
  }
  const text = saidBy(event);
  return text === null ? [] : [text];
}
