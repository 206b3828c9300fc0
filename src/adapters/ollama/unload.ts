/** Has the server give back the memory of some of its models, makes sure of it, and puts them back later. */
import { setTimeout as delay } from "node:timers/promises";
import { ExitError, isExitError } from "../../core/errors.ts";
import { withTag } from "./model-facts.ts";
import { listRunning, type Running, secondsKept } from "./running.ts";
import type { Server } from "./server.ts";

/** Milliseconds between two looks. */
const interval = 200;
/** Milliseconds the server is given to load what was there before. */
const patienceAtEnd = 5 * 60_000;

interface Held {
  readonly name: string;
  readonly contextLength: number | undefined;
  /** As `keep_alive` takes it; undefined: as the server has it. */
  readonly kept: string | number | undefined;
}

/**
 * Other models are left alone, and said. A model that is unloaded before another one fails is loaded again by the
 * next request for it.
 * @param patience milliseconds
 * @returns loads again what was unloaded
 * @throws ExitError `model-memory`, `ollama-failed`, `ollama-unreachable`.
 */
export async function unloadModels(
  server: Server,
  models: readonly string[],
  patience: number,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const names = new Set(models.map(withTag));
  const isMeant = ({ name }: Running) => names.has(withTag(name));
  const running = await listRunning(server, signal);
  for (const other of running) if (!isMeant(other)) say(holds(other));
  const held = running.filter(isMeant).map(heldAs);
  for (const { name } of held) await askToUnload(server, name, signal);

  const end = performance.now() + patience;
  for (;;) {
    const left = (await listRunning(server, signal)).filter(isMeant);
    if (left.length === 0) return () => loadAgain(server, held);
    if (performance.now() > end) throw stuck(left.map(({ name }) => name));
    await delay(interval, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** The server does so as soon as no reply is under way. It does nothing for a model that is not loaded. */
export async function askToUnload(server: Server, model: string, signal: AbortSignal): Promise<void> {
  await server.ask((client) => client.generate({ model, prompt: "", keep_alive: 0 }), signal);
}

function heldAs(running: Running): Held {
  const seconds = secondsKept(running);
  const kept = seconds === null ? undefined : seconds === Number.POSITIVE_INFINITY ? -1 : `${seconds}s`;
  return { name: running.name, contextLength: running.context_length, kept };
}

/** A server that is gone, or has forgotten the model, has nothing to be put back. */
async function loadAgain(server: Server, held: readonly Held[]): Promise<void> {
  const signal = AbortSignal.timeout(patienceAtEnd);
  try {
    const there = new Set((await listRunning(server, signal)).map(({ name }) => name));
    for (const { name, contextLength, kept } of held.filter((one) => !there.has(one.name))) {
      const request = {
        model: name,
        prompt: "",
        ...(kept !== undefined && { keep_alive: kept }),
        ...(contextLength !== undefined && { options: { num_ctx: contextLength } }),
      };
      await server.ask((client) => client.generate(request), signal);
    }
  } catch (error) {
    if (!isExitError(error) && !signal.aborted) throw error;
  }
}

function holds({ name, size, size_vram }: Running): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const where = size_vram > 0 ? `, ${gigabytes(size_vram)} of them on the GPU` : "";
  return `Ollama also keeps ${name} in memory (${gigabytes(size)}${where}). To have that too: ollama stop ${name}.`;
}

function stuck(names: readonly string[]): ExitError {
  const stops = names.map((name) => `ollama stop ${name}`).join(", ");
  return new ExitError(
    "model-memory",
    `Ollama does not give back the memory of ${names.join(", ")}: another program may be using it. End that program or run: ${stops}. Then start again.`,
  );
}
