/** The lives of a real runner in one workspace: each ends with its run, or with the kill it is doomed to. */
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, connect } from "../../../src/client/connect.ts";
import { isExitError } from "../../../src/core/errors.ts";
import { guaranteeNames } from "../../../src/core/guarantees.ts";
import type { RunEvent } from "../../../src/protocol/events.ts";
import type { FakeOllama } from "../../adapters/ollama/fake-ollama.ts";
import { gone } from "../../system/product.ts";
import { killed, readTrace, type Write } from "./trace.ts";

const script = join(import.meta.dirname, "doomed.ts");
const groupSize = 4;

export interface Lives {
  readonly folder: string;
  readonly plan: RunPlan;
  /** What the runners said they had stored: `group-index`, and the verdict once there is one. */
  readonly told: ReadonlyMap<string, string | null>;
  trace(): readonly Write[];
  /** A new runner begins the run or goes on with it. @param doom what it is killed at; null: nothing */
  live(doom: string | null): Promise<"killed" | "ended">;
  /** The runner at work, or a new one. */
  open(): Promise<Client>;
  /** Ends the runner of a client in good order. */
  close(client: Client): Promise<void>;
  /** A new runner that does what `work` asks of it and closes in good order. */
  visit(work: (client: Client) => Promise<unknown>): Promise<void>;
  remove(): void;
}

export interface RunPlan {
  readonly model: FakeOllama;
  readonly seed: number;
  readonly iterations: number;
}

/** @param template a workspace to copy, with no runner in it */
export function beginLives(template: string, plan: RunPlan): Lives {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-lives-")));
  const side = mkdtempSync(join(tmpdir(), "exit-ml-trace-"));
  const traceFile = join(side, "trace.jsonl");
  cpSync(template, folder, { recursive: true });
  const told = new Map<string, string | null>();

  async function born(doom: string | null): Promise<Client> {
    process.env.EXIT_ML_CHAOS_KILL = doom ?? "";
    process.env.EXIT_ML_CHAOS_TRACE = traceFile;
    return connect(folder, { start: true, script });
  }

  const close = async (client: Client): Promise<void> => {
    try {
      process.kill(client.runner.pid, "SIGTERM");
    } catch {
      // It is dead already.
    }
    await client.closed;
    await gone(client.runner.pid);
  };

  return {
    folder,
    plan,
    told,
    trace: () => readTrace(traceFile),
    async live(doom) {
      const client = await born(doom);
      client.onEvent((event) => {
        if (event.type === "replySampled") told.set(`${event.group}-${event.reply.index}`, null);
        if (event.type === "replyScored") told.set(`${event.group}-${event.index}`, event.outcome.verdict);
      });
      const ended = runToItsEnd(client, plan).catch((error: unknown) => {
        if (!isExitError(error, "runner-gone")) throw error;
      });
      await Promise.race([client.closed, ended]);
      await close(client);
      const last = readTrace(traceFile).at(-1);
      return doom !== null && last?.what === killed && last.key === doom ? "killed" : "ended";
    },
    open: () => born(null),
    close,
    async visit(work) {
      const client = await born(null);
      try {
        await work(client);
      } finally {
        await close(client);
      }
    },
    remove() {
      for (const each of [folder, side]) rmSync(each, { recursive: true, force: true });
    },
  };
}

/** Begins the run or goes on with it, and returns when it has ended. @throws what it ended with */
export async function runToItsEnd(client: Client, plan: RunPlan): Promise<void> {
  const ended = runEnd(client);
  // A run that was refused is told by the call alone.
  ended.catch(() => undefined);
  await client.call("startRun", requestOf(plan));
  await ended;
}

/** Resolves when the run has ended well. */
export async function runEnd(client: Client): Promise<void> {
  const { error } = await nextEvent(client, "runEnded");
  if (error !== null) throw new Error(`the run ended with ${error.reason}: ${error.message}`);
}

/** The next event of a kind. */
export function nextEvent<T extends RunEvent["type"]>(
  client: Client,
  type: T,
): Promise<Extract<RunEvent, { type: T }>> {
  return new Promise((resolve) => {
    const stop = client.onEvent((event) => {
      if (event.type !== type) return;
      stop();
      resolve(event as Extract<RunEvent, { type: T }>);
    });
  });
}

export function requestOf({ model, seed, iterations }: RunPlan) {
  return {
    ...{ tasks: [], all: false, fresh: false, strategy: "balanced" as const, seed },
    budget: { iterations, hours: null, tokens: null, target: null },
    settings: { groupSize, maxReplyTokens: 64 },
    ...{ runtime: "ollama", model: model.model, endpoint: model.host },
    // What this machine's engine lacks is no matter of this suite.
    allowMissing: [...guaranteeNames],
  };
}
