/** The child process as seen from the policy: requests in, answers out, and its end noticed. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitError } from "../../core/errors.ts";
import type {
  ChildReply,
  Failure,
  Loaded,
  LoadRequest,
  Request,
  Response,
  SampleRequest,
} from "./protocol.ts";

export type LoadOptions = Omit<LoadRequest, "type" | "scratch">;

/** The process ended before it answered: crashed, was killed, or was closed. */
export class ChildLost extends Error {
  override readonly name = "ChildLost";
}

interface Pending {
  resolve(tokens: number): void;
  reject(error: Error): void;
  onReply?(reply: ChildReply): void;
}

/**
 * Minutes after which a child that is asked for something and says nothing is taken to hang, as native code can: it
 * gives signs of life while it draws, and no model takes so long to load or to evaluate one batch.
 */
const longestSilence = 60;

/** Longest tail of the child's standard error kept for a message, in characters. */
const keptErrors = 2000;

/** One child process with one model; usable until it ends, which `ended` tells. */
export class ModelProcess {
  readonly pid: number;
  /** Rejects with an ExitError if the model cannot be loaded, with ChildLost if the process dies of it. */
  readonly loaded: Promise<Loaded>;
  /** Resolves when the process is gone and nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #failLoading: (error: Error) => void = () => {};
  #nextId = 1;
  #errors = "";
  #isLoading = true;
  /** Minutes in which it owed an answer and said nothing; not by the clock, which may go on while the machine sleeps. */
  #silent = 0;

  constructor(entry: string, options: LoadOptions) {
    const scratch = join(tmpdir(), `exit-ml-model-${randomUUID()}`);
    this.#child = fork(entry, [], {
      env: childEnvironment(process.env),
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.pid = this.#child.pid ?? -1;
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-keptErrors);
    });

    this.loaded = new Promise((resolve, reject) => {
      this.#child.on("message", (message) => this.#receive(message as Response, resolve, reject));
      this.#failLoading = reject;
    });
    this.loaded.catch(() => {});
    const watch = setInterval(() => {
      this.#silent = this.#isLoading || this.#pending.size > 0 ? this.#silent + 1 : 0;
      if (this.#silent > longestSilence) this.kill();
    }, 60_000).unref();
    this.ended = new Promise((done) => {
      const end = (how: string) => {
        clearInterval(watch);
        const lost = new ChildLost(this.#describeEnd(how));
        this.#failLoading(lost);
        for (const pending of this.#pending.values()) pending.reject(lost);
        this.#pending.clear();
        void rm(scratch, { recursive: true, force: true }).then(done, () => done());
      };
      this.#child.once("error", (error) => end(error.message));
      this.#child.once("close", (code, signal) => end(signal ?? `exit code ${code}`));
    });
    this.#send({ type: "load", ...options, scratch });
  }

  /** Tokens of a text, special tokens parsed. */
  count(text: string): Promise<number> {
    return this.#ask((id) => ({ type: "count", id, text })).answer;
  }

  /** Draws a group. `answer` resolves when the child is done with it, aborted or not. */
  sample(request: Omit<SampleRequest, "type" | "id">, onReply: (reply: ChildReply) => void) {
    const { id, answer } = this.#ask((id) => ({ type: "sample", id, ...request }), onReply);
    return { answer, abort: () => this.#send({ type: "abort", id }) };
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #ask(request: (id: number) => Request, onReply?: (reply: ChildReply) => void) {
    const id = this.#nextId++;
    const answer = new Promise<number>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, ...(onReply && { onReply }) });
    });
    if (this.#child.connected) this.#send(request(id));
    else this.#settle(id, (pending) => pending.reject(new ChildLost("The process is gone.")));
    return { id, answer };
  }

  /** A message that cannot be sent any more is answered by the end of the process. */
  #send(request: Request): void {
    if (this.#child.connected) this.#child.send(request, () => {});
  }

  #receive(message: Response, loaded: (loaded: Loaded) => void, failed: (error: Error) => void): void {
    this.#silent = 0;
    switch (message.type) {
      case "alive":
        break;
      case "loaded":
        this.#isLoading = false;
        loaded(message.loaded);
        break;
      case "failed":
        failed(exitError(message.failure));
        this.kill();
        break;
      case "counted":
        this.#settle(message.id, (pending) => pending.resolve(message.tokens));
        break;
      case "reply":
        this.#pending.get(message.id)?.onReply?.(message.reply);
        break;
      case "done": {
        const { failure } = message;
        this.#settle(message.id, (pending) =>
          failure ? pending.reject(exitError(failure)) : pending.resolve(0),
        );
        break;
      }
    }
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  #describeEnd(how: string): string {
    if (this.#silent > longestSilence) return `it had said nothing for ${longestSilence} minutes`;
    const last = this.#errors.trim().split("\n").at(-1);
    return last ? `${how}: ${last}` : how;
  }
}

function exitError({ reason, message }: Failure): ExitError {
  return new ExitError(reason, message);
}

/** Without what belongs to the editor or would change how Node starts. */
function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("VSCODE_") && name !== "NODE_OPTIONS");
  const electron = "electron" in process.versions ? { ELECTRON_RUN_AS_NODE: "1" } : {};
  return { ...Object.fromEntries(kept), ...electron };
}
