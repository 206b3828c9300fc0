/** The runner as its clients see it: typed calls, events, and the end of the connection. */
import type { Socket } from "node:net";
import { CancellationTokenSource, type MessageConnection } from "vscode-jsonrpc/node.js";
import { fromResponseError } from "../protocol/errors.ts";
import { eventMethod, type RunEvent } from "../protocol/events.ts";
import type { HelloResponse } from "../protocol/hello.ts";
import type { MethodName, RequestOf, ResponseOf } from "../protocol/methods.ts";

export interface Client {
  readonly runner: HelloResponse;
  /**
   * Calls the runner. Aborting the signal cancels the call there, and it ends with the error `cancelled`.
   * @throws ExitError what the runner threw, or `runner-gone` if the connection ended first.
   */
  call<M extends MethodName>(method: M, request: RequestOf<M>, signal?: AbortSignal): Promise<ResponseOf<M>>;
  /** Every event from now on; returns the way to stop listening. */
  onEvent(listener: (event: RunEvent) => void): () => void;
  /** Resolves when the connection has ended, by whomever. */
  readonly closed: Promise<void>;
  /** Hangs up. A run goes on without us. */
  close(): void;
}

/** A client over a connection whose handshake is done. */
export function openClient(socket: Socket, connection: MessageConnection, runner: HelloResponse): Client {
  const listeners = new Set<(event: RunEvent) => void>();
  connection.onNotification(eventMethod, (event: RunEvent) => {
    for (const listener of listeners) listener(event);
  });
  return {
    runner,
    async call(method, request, signal) {
      const source = new CancellationTokenSource();
      const cancel = (): void => source.cancel();
      if (signal?.aborted) cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      try {
        return await connection.sendRequest(method, request, source.token);
      } catch (error) {
        throw fromResponseError(error);
      } finally {
        signal?.removeEventListener("abort", cancel);
        source.dispose();
      }
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    closed: new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else socket.once("close", () => resolve());
    }),
    close: () => socket.destroy(),
  };
}
