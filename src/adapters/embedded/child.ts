/**
 * The child process that holds the native runtime: loads one model, then counts and samples until its parent is
 * gone. Started by `child_process.fork`; in the product this file is the bundle `embedded-child.js`.
 */
import { rmSync } from "node:fs";
import { type Engine, LoadFailure, load } from "./load.ts";
import { firstPace, nextPace } from "./pace.ts";
import type { Failure, LoadRequest, Request, Response, SampleRequest } from "./protocol.ts";
import { sampleGroup } from "./sampleGroup.ts";

/** Seconds of evaluation between two looks at the number of threads. */
const paceWindow = 1;

let engine: Promise<Engine> | null = null;
let scratch: string | null = null;
/** Groups are drawn one after the other. */
let queue: Promise<void> = Promise.resolve();
const aborted = new Set<number>();
let pace = firstPace(1);

process.on("message", (message) => receive(message as Request));
process.on("disconnect", () => {
  if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  // An orderly exit would wait for the native threads, which may be in the middle of a long evaluation.
  process.kill(process.pid, "SIGKILL");
});

function send(message: Response): void {
  if (process.connected) process.send?.(message);
}

function receive(request: Request): void {
  switch (request.type) {
    case "load":
      engine = start(request);
      break;
    case "count":
      void count(request.id, request.text);
      break;
    case "sample":
      queue = queue.then(() => sample(request));
      break;
    case "abort":
      aborted.add(request.id);
      break;
  }
}

async function start(request: LoadRequest): Promise<Engine> {
  scratch = request.scratch;
  const loading = load(request);
  loading.then(
    ({ loaded, threads }) => {
      pace = firstPace(threads);
      send({ type: "loaded", loaded });
    },
    (error: unknown) => send({ type: "failed", failure: failureOf(error) }),
  );
  return loading;
}

async function count(id: number, text: string): Promise<void> {
  try {
    const { model } = await loadedEngine();
    send({ type: "counted", id, tokens: model.tokenize(text, true).length });
  } catch (error) {
    send({ type: "done", id, failure: failureOf(error) });
  }
}

async function sample(request: SampleRequest): Promise<void> {
  const { id } = request;
  let failure: Failure | null = null;
  try {
    if (!aborted.has(id)) {
      const running = await loadedEngine();
      failure = await sampleGroup(running, {
        request,
        scratch: scratch ?? ".",
        aborted: () => aborted.has(id),
        tick: createTick(running),
        send: (reply) => send({ type: "reply", id, reply }),
      });
    }
  } catch (error) {
    failure = failureOf(error);
  }
  aborted.delete(id);
  send({ type: "done", id, failure });
}

/** Adapts the threads to what else runs on the machine. */
function createTick({ llama, threads }: Engine): () => void {
  if (llama.gpu !== false) return () => {};
  let before = reading();
  return () => {
    const now = reading();
    if (now.wall - before.wall < paceWindow) return;
    const usage = {
      wall: now.wall - before.wall,
      cpu: now.cpu - before.cpu,
      preempted: now.preempted - before.preempted,
    };
    pace = nextPace(pace, usage, threads);
    llama.maxThreads = pace.threads;
    before = now;
  };
}

function reading() {
  const { userCPUTime, systemCPUTime, involuntaryContextSwitches } = process.resourceUsage();
  return {
    wall: performance.now() / 1000,
    cpu: (userCPUTime + systemCPUTime) / 1e6,
    preempted: involuntaryContextSwitches,
  };
}

async function loadedEngine(): Promise<Engine> {
  if (engine === null) throw new Error("No model was loaded.");
  return engine;
}

function failureOf(error: unknown): Failure {
  if (error instanceof LoadFailure) return error.failure;
  const detail = error instanceof Error ? error.message : String(error);
  return {
    reason: "runtime-failed",
    message: `The embedded model runtime failed: ${detail}. Start the run again; if it fails again, choose another model or use Ollama.`,
  };
}
