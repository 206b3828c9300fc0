/** What every verb gets: where it works, how it prints, and the way to the runner. */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Client } from "../client/connect.ts";
import { printable } from "../client/words/printable.ts";
import { makeStyle, type Style, wantsColour } from "../client/words/style.ts";
import { ExitError } from "../protocol/errors.ts";
import type { RunEvent } from "../protocol/events.ts";
import type { Host } from "./host.ts";

export interface Context {
  readonly host: Host;
  /** Absolute. */
  readonly folder: string;
  readonly json: boolean;
  readonly style: Style;
  /** Prints the result: one JSON document, or the lines for people. */
  result(value: unknown, lines: () => readonly string[]): void;
  /** A message beside the result, on standard error. */
  say(text: string): void;
  /** A command line for people to copy, for the same workspace. */
  command(words: string): string;
  /** Connects, does the work, hangs up. */
  withRunner<T>(work: (client: Client) => Promise<T>, options?: { readonly start: boolean }): Promise<T>;
  /** The same for a call that lasts: messages and progress are shown, Ctrl-C cancels it. */
  withLongCall<T>(work: (client: Client, signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** @param command the verb, which knows the options given to the program too */
export function contextOf(command: Command, host: Host): Context {
  const options = command.optsWithGlobals<{ directory?: string; json?: boolean }>();
  const folder = resolve(host.cwd, options.directory ?? ".");
  const json = options.json === true;
  const say = (text: string): void => host.err(`${printable(text)}\n`);
  const withRunner: Context["withRunner"] = async (work, { start } = { start: true }) => {
    const client = await host.connect(folder, { start });
    try {
      return await work(client);
    } finally {
      client.close();
    }
  };
  return {
    host,
    folder,
    json,
    style: makeStyle(wantsColour(host.stdoutIsTTY, host.env)),
    say,
    withRunner,
    result(value, lines) {
      host.out(
        json
          ? `${JSON.stringify(value)}\n`
          : lines()
              .map((line) => `${line}\n`)
              .join(""),
      );
    },
    command(words) {
      const place = options.directory === undefined ? "" : ` -C ${quoted(options.directory)}`;
      return `exit-ml ${words}${place}`;
    },
    withLongCall: (work) =>
      withRunner(async (client) => {
        const cancelled = new AbortController();
        const stopListening = client.onEvent((event) => {
          const text = saidBy(event);
          if (text !== null) say(text);
        });
        const stopWaiting = host.onInterrupt(() => {
          if (cancelled.signal.aborted) client.close();
          else say("Cancelling …");
          cancelled.abort(new ExitError("cancelled", "Cancelled."));
        });
        try {
          return await work(client, cancelled.signal);
        } finally {
          stopWaiting();
          stopListening();
        }
      }),
  };
}

/** The text of an event that is a message to the user, else null. */
export function saidBy(event: RunEvent): string | null {
  if (event.type === "message") return event.level === "warn" ? `Warning: ${event.text}` : event.text;
  if (event.type === "progress") return event.text;
  if (event.type === "workspaceMoved")
    return `The workspace moved on (${event.paths.join(", ")}); the run goes on from the files it started with.`;
  return null;
}

function quoted(text: string): string {
  return /^[\w./~@%+=:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
