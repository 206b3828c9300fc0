/** One client's connection: the handshake, then calls until either side hangs up. */
import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { CancellationToken, MessageConnection } from "vscode-jsonrpc/node.js";
import { z } from "zod";
import type { App } from "../app/app.ts";
import { openConnection } from "../protocol/connection.ts";
import { ExitError, toResponseError, toWireError } from "../protocol/errors.ts";
import { eventMethod, type RunEvent } from "../protocol/events.ts";
import { type HelloResponse, helloMethod, helloSchema } from "../protocol/hello.ts";
import { isMethod, type MethodName, type RequestOf, readOnlyMethods } from "../protocol/methods.ts";
import { requestSchemas } from "../protocol/requests.ts";
import { protocolVersion } from "../protocol/version.ts";
import type { Calls } from "./calls.ts";
import type { Log } from "./log.ts";
import { handlers } from "./methods.ts";

/** Bytes of unread events after which a client that no longer reads is cut off. */
const longestBacklog = 32 * 2 ** 20;

export interface SessionHost {
  readonly app: App;
  readonly workspace: string;
  readonly token: string;
  readonly calls: Calls;
  readonly log: Log;
  /** False once the runner is closing: nothing new is begun then. */
  accepting(): boolean;
  /** The client has shown the token. */
  welcomed(session: Session): void;
  closed(session: Session): void;
}

type Guest = "stranger" | "reader" | "client";

export class Session {
  readonly #socket: Socket;
  readonly #host: SessionHost;
  readonly #connection: MessageConnection;
  readonly #mine = new Set<AbortController>();
  #guest: Guest = "stranger";
  /** The last event on its way. */
  #sent: Promise<void> = Promise.resolve();

  constructor(socket: Socket, host: SessionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#connection = openConnection(socket);
    this.#connection.onRequest((method, params, token) => this.#answer(method, params, token));
    this.#connection.onClose(() => this.#hangUp());
    this.#connection.listen();
  }

  /** Tells the client an event, unless it is a stranger or might misread it. */
  send(event: RunEvent): void {
    if (this.#guest !== "client") return;
    if (this.#socket.writableLength > longestBacklog) {
      this.#host.log("a client stopped reading; its connection was closed");
      this.drop();
      return;
    }
    this.#sent = this.#connection.sendNotification(eventMethod, event).catch(() => undefined);
  }

  /** Cuts the connection off. */
  drop(): void {
    this.#socket.destroy();
  }

  /** Hangs up after what was sent has gone out, or after a second at a client that does not read. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.drop(), 1_000);
    const closed = new Promise<void>((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.once("close", () => resolve());
    });
    await Promise.race([this.#sent, closed]);
    this.#socket.end();
    await closed;
    clearTimeout(timer);
  }

  #hangUp(): void {
    for (const controller of this.#mine) controller.abort(new ExitError("cancelled", "The client is gone."));
    this.#connection.dispose();
    this.#host.closed(this);
  }

  async #answer(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    try {
      if (!this.#host.accepting())
        throw new ExitError("runner-closing", "The runner is closing; repeat the command.");
      if (method === helloMethod) return this.#hello(params);
      return await this.#call(this.#admit(method), params, token);
    } catch (error) {
      if (toWireError(error).reason === "internal")
        this.#host.log(`${method} failed: ${error instanceof Error ? error.stack : String(error)}`);
      throw toResponseError(error);
    }
  }

  #hello(params: unknown): HelloResponse {
    const hello = parse(helloMethod, helloSchema, params);
    if (!sameText(hello.token, this.#host.token)) {
      this.#host.log("a connection with a wrong token was refused");
      // Once it has had time to read the answer there is nothing more to say to this peer.
      setTimeout(() => this.drop(), 1_000).unref();
      throw new ExitError("token-refused", "The runner refused the token; .exit/runner.json is not its own.");
    }
    const readOnly = hello.protocol !== protocolVersion;
    this.#guest = readOnly ? "reader" : "client";
    this.#host.welcomed(this);
    return { protocol: protocolVersion, pid: process.pid, workspace: this.#host.workspace, readOnly };
  }

  #admit(method: string): MethodName {
    if (this.#guest === "stranger")
      throw new ExitError("hello-missing", "The first request must be hello, with the token.");
    if (!isMethod(method))
      throw new ExitError("method-unknown", `This runner knows no method ${JSON.stringify(method)}.`);
    if (this.#guest === "reader" && !readOnlyMethods.has(method))
      throw new ExitError(
        "protocol-mismatch",
        `The runner at work (protocol ${protocolVersion}) is of another version than this program and only lets it look. Stop the run with the version that started it; once idle the old runner ends by itself.`,
      );
    return method;
  }

  async #call<M extends MethodName>(method: M, params: unknown, token: CancellationToken): Promise<unknown> {
    const schema: z.ZodType = requestSchemas[method];
    const request = parse(method, schema, params) as RequestOf<M>;
    const { app, calls } = this.#host;
    const controller = new AbortController();
    const cancel = token.onCancellationRequested(() =>
      controller.abort(new ExitError("cancelled", "Cancelled.")),
    );
    this.#mine.add(controller);
    try {
      return await calls.run(method, controller, async () => {
        const others = method === "stopRun" ? calls.stop(new ExitError("cancelled", "Stopped.")) : 0;
        const result = await handlers[method](app, request, controller.signal);
        return others > 0 ? { stopped: true } : result;
      });
    } finally {
      this.#mine.delete(controller);
      cancel.dispose();
    }
  }
}

function parse<T>(method: string, schema: z.ZodType<T>, params: unknown): T {
  const parsed = schema.safeParse(params ?? {});
  if (parsed.success) return parsed.data;
  throw new ExitError("request-invalid", `${method} was refused: ${z.prettifyError(parsed.error)}`);
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
