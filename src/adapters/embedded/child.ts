/**
 * The child process that holds the native runtime: loads one model, then counts and samples until its parent is
 * gone. Started by `child_process.fork`; in the product this file is the bundle `embedded-child.js`.
 */
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { type Engine, LoadFailure, load } from "./load.ts";
import { nextPace, type Pace } from "./pace.ts";
import type { Failure, LoadRequest, Request, Response, SampleRequest } from "./protocol.ts";
import { sampleGroup } from "./sample-group.ts";

/** Seconds of evaluation between two looks at the number of threads. */
const paceWindow = 1;
/** Seconds of evaluation between two signs of life. */
const signWindow = 60;

let engine: Promise<Engine> | null = null;
let scratch: string | null = null;
/** Groups are drawn one after the other. */
let queue: Promise<void> = Promise.resolve();
const aborted = new Set<number>();
let pace: Pace = { threads: 1, calm: 0 };

process.on("message", (message) => receive(message as Request));
process.on("disconnect", leave);
process.on("SIGTERM", leave);
// Ctrl+C in a terminal reaches the whole family: the parent decides what it means.
process.on("SIGINT", () => {});
process.on("SIGHUP", () => {});

function leave(): void {
  try {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  } finally {
    // An orderly exit would wait for the native threads, which may be in the middle of a long evaluation.
    process.kill(process.pid, "SIGKILL");
  }
}

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
      pace = { threads, calm: 0 };
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

/** To be called after each evaluation. */
function createTick(engine: Engine): () => void {
  const adapt = createPacer(engine);
  let signed = performance.now();
  return () => {
    adapt();
    if (performance.now() - signed < signWindow * 1000) return;
    signed = performance.now();
    send({ type: "alive" });
  };
}

/** Adapts the threads to what else runs on the machine. */
function createPacer({ llama, threads }: Engine): () => void {
  if (llama.gpu !== false) return () => {};
  let before = reading();
  return () => {
    const wall = performance.now() / 1000 - before.wall;
    if (wall < paceWindow) return;
    const now = reading();
    pace = nextPace(pace, { wall, others: now.others - before.others }, now.cores, threads);
    llama.maxThreads = pace.threads;
    before = now;
  };
}

/** Seconds since some fixed time. */
function reading() {
  const cores = cpus();
  const busy = cores.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const { user, system } = process.cpuUsage();
  return {
    wall: performance.now() / 1000,
    others: busy / 1000 - (user + system) / 1e6,
    cores: cores.length,
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
