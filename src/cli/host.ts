/** What the command line touches of the process it runs in; tests bring their own. */
import type { Client, ConnectOptions } from "../client/connect.ts";

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether a person looks at standard output, and can be asked. */
  readonly stdoutIsTTY: boolean;
  readonly canAsk: boolean;
  /** Characters of a line of standard output. */
  columns(): number;
  out(text: string): void;
  err(text: string): void;
  /** Puts a question on standard error and reads one line. @throws ExitError `cancelled`. */
  ask(question: string): Promise<string>;
  connect(folder: string, options: ConnectOptions): Promise<Client>;
  /** Calls on each Ctrl-C instead of ending the process; returns the way back. */
  onInterrupt(listener: () => void): () => void;
  /** Milliseconds since some fixed point. */
  now(): number;
  /** Calls about every `ms`; returns the way to stop. */
  every(ms: number, tick: () => void): () => void;
}
