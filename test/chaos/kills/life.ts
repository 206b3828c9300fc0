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
import { readTrace, type Write } from "./trace.ts";

const script = join(import.meta.dirname, "doomed.ts");
const groupSize = 4;

export interface Lives {
  readonly folder: string;
  /** What the runners said they had stored: `group-index`, and the verdict once there is one. */
  readonly told: ReadonlyMap<string, string | null>;
  trace(): readonly Write[];
  /** A new runner begins the run or goes on with it. @param doom what it is killed at; null: nothing */
  live(doom: string | null): Promise<"killed" | "ended">;
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

  async function buried(client: Client): Promise<void> {
    await client.closed;
    await gone(client.runner.pid);
  }

  return {
    folder,
    told,
    trace: () => readTrace(traceFile),
    async live(doom) {
      const client = await born(doom);
      const ended = new Promise<Extract<RunEvent, { type: "runEnded" }>>((resolve) => {
        client.onEvent((event) => {
          if (event.type === "replySampled") told.set(`${event.group}-${event.reply.index}`, null);
          if (event.type === "replyScored") told.set(`${event.group}-${event.index}`, event.outcome.verdict);
          if (event.type === "runEnded") resolve(event);
        });
      });
      const begun = client.call("startRun", requestOf(plan)).catch((error: unknown) => {
        if (!isExitError(error, "runner-gone")) throw error;
      });
      const end = await Promise.race([client.closed.then(() => null), begun.then(() => ended)]);
      if (end === null) {
        await buried(client);
        return "killed";
      }
      if (end.error !== null) throw new Error(`the run ended with ${end.error.reason}: ${end.error.message}`);
      process.kill(client.runner.pid, "SIGTERM");
      await buried(client);
      return "ended";
    },
    async visit(work) {
      const client = await born(null);
      try {
        await work(client);
      } finally {
        process.kill(client.runner.pid, "SIGTERM");
        await buried(client);
      }
    },
    remove() {
      for (const each of [folder, side]) rmSync(each, { recursive: true, force: true });
    },
  };
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
