/** A fake terminal and a fake runner behind it: what was printed and what was asked for can be looked at. */
import type { Host } from "../../../src/cli/host.ts";
import type { Client } from "../../../src/client/connect.ts";
import { ExitError } from "../../../src/protocol/errors.ts";
import type { RunEvent } from "../../../src/protocol/events.ts";
import type { MethodName, RequestOf, ResponseOf } from "../../../src/protocol/methods.ts";

export type Answers = {
  [M in MethodName]?: (request: RequestOf<M>) => ResponseOf<M> | Promise<ResponseOf<M>>;
};

export class FakeHost implements Host {
  env: Record<string, string | undefined> = {};
  cwd = "/home/me/work";
  stdoutIsTTY = false;
  canAsk = false;
  printed = "";
  messages = "";
  /** Answers to questions, in order. */
  readonly typed: string[] = [];
  readonly calls: { method: string; request: unknown }[] = [];
  readonly connections: { folder: string; start: boolean }[] = [];
  time = 0;
  readonly #answers: Answers;
  readonly #listeners = new Set<(event: RunEvent) => void>();
  readonly #interrupts = new Set<() => void>();
  #hangUp: () => void = () => undefined;

  constructor(answers: Answers = {}) {
    this.#answers = answers;
  }

  columns = (): number => 100;
  now = (): number => this.time;
  /** What `every` began and nobody ended: a real one keeps the process alive. */
  ticking = 0;
  every = (): (() => void) => {
    this.ticking++;
    return () => {
      this.ticking--;
    };
  };
  out = (text: string): void => {
    this.printed += text;
  };
  err = (text: string): void => {
    this.messages += text;
  };
  ask = (): Promise<string> => Promise.resolve(this.typed.shift() ?? "");

  onInterrupt = (listener: () => void): (() => void) => {
    this.#interrupts.add(listener);
    return () => this.#interrupts.delete(listener);
  };

  tell(...events: RunEvent[]): void {
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }

  interrupt(): void {
    for (const listener of this.#interrupts) listener();
  }

  /** The runner goes away. */
  hangUp(): void {
    this.#hangUp();
  }

  connect = (folder: string, { start }: { start: boolean }): Promise<Client> => {
    this.connections.push({ folder, start });
    const closed = new Promise<void>((resolve) => {
      this.#hangUp = resolve;
    });
    return Promise.resolve({
      runner: { protocol: 1, pid: 1, workspace: folder, readOnly: false },
      call: async (method, request) => {
        this.calls.push({ method, request });
        const answer = this.#answers[method];
        if (answer === undefined) throw new ExitError("not-faked", `The fake runner has no ${method}.`);
        return await answer(request);
      },
      onEvent: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      closed,
      close: () => this.#hangUp(),
    });
  };
}
