/** The server of one workspace: opens the app (which takes the lock), listens, and ends when nobody needs it. */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:net";
import type { App } from "../app/app.ts";
import { protocolVersion } from "../protocol/version.ts";
import { announce, forgetPredecessor, withdraw } from "./announcement.ts";
import { Calls } from "./calls.ts";
import { newEndpoint, removeEndpoint } from "./endpoint.ts";
import { watchIdle } from "./idle.ts";
import type { Log } from "./log.ts";
import { Session } from "./session.ts";

/** Opens the use cases of a workspace. @throws ExitError `workspace-locked` while another process has it. */
export type OpenApp = (folder: string, options: { log(line: string): void }) => Promise<App>;

/** Milliseconds the use cases get to end a run and remove its containers. */
const longestClose = 30_000;

/** Milliseconds the one who started us has to come, however short the idle time is. */
const firstClientMs = 10_000;

export interface ServeOptions {
  readonly log: Log;
  /** Milliseconds without clients and work after which the server closes. */
  readonly idleMs: number;
}

export interface Serving {
  /** Resolves when everything is closed: `idle`, or what `close` was told. */
  readonly ended: Promise<string>;
  close(why: string): Promise<void>;
}

/** Serves `folder` until it is idle or closed. When it returns, `.exit/runner.json` names it. */
export async function serve(folder: string, openApp: OpenApp, options: ServeOptions): Promise<Serving> {
  const { log } = options;
  const app = await openApp(folder, { log });
  const token = randomBytes(32).toString("hex");
  const strangers = new Set<Session>();
  const clients = new Set<Session>();
  const calls = new Calls();
  const openedAt = performance.now();
  let greeted = false;
  let endpoint = "";

  const server = createServer((socket) => {
    strangers.add(
      new Session(socket, {
        app,
        workspace: folder,
        token,
        calls,
        log,
        accepting: () => closing === null,
        welcomed: (session) => {
          greeted = true;
          strangers.delete(session);
          clients.add(session);
          idle.touch();
        },
        closed: (session) => {
          strangers.delete(session);
          clients.delete(session);
          idle.touch();
        },
      }),
    );
  });
  const unsubscribe = app.subscribe((event) => {
    for (const client of clients) client.send(event);
  });

  let end: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  let closing: Promise<void> | null = null;
  const close = (why: string): Promise<void> => {
    closing ??= (async () => {
      log(`closing: ${why}`);
      idle.dispose();
      withdraw(folder, process.pid); // first, so that nobody comes any more
      server.close();
      removeEndpoint(endpoint);
      await closeApp(app, log); // clients still hear how their run ended
      unsubscribe();
      for (const stranger of strangers) stranger.drop();
      await Promise.all([...clients].map((client) => client.close()));
      log("closed");
      end(why);
    })();
    return closing;
  };
  const idle = watchIdle(
    options.idleMs,
    () =>
      clients.size === 0 &&
      calls.size === 0 &&
      !app.busy() &&
      (greeted || performance.now() - openedAt > firstClientMs),
    () => void close("idle"),
  );

  try {
    forgetPredecessor(folder);
    endpoint = newEndpoint();
    await listen(server, endpoint);
    announce(folder, { pid: process.pid, socket: endpoint, protocol: protocolVersion, token });
  } catch (error) {
    await close("it could not listen");
    throw error;
  }
  log(`runner ${process.pid} serves ${folder} on ${endpoint}`);
  return { ended, close };
}

/** Never rejects and never hangs: the process ends after it, come what may. */
async function closeApp(app: App, log: Log): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log(`not closed after ${longestClose} ms; giving up`);
      resolve();
    }, longestClose);
  });
  const closed = app.close().catch((error: unknown) => {
    log(`closing failed: ${error instanceof Error ? error.stack : String(error)}`);
  });
  await Promise.race([closed, tooLate]);
  clearTimeout(timer);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
