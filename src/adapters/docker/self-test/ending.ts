/** How a command that wants to stay is ended: by us, and without us. */
import { setTimeout as pause } from "node:timers/promises";
import type { Container } from "dockerode";
import type { Guarantee } from "../../../core/guarantees.ts";
import { briefly } from "../engine.ts";
import { type Probing, withContainer } from "./probe-container.ts";

/** Milliseconds a command may outlive its end. */
const promised = 3_000;
/** The inner limit, in ms, and how long a command may take to be gone after it. */
const limitMs = 1_000;

const stubborn = ["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done"];
/** Stops what started it, and with it what limits its time, if it can. */
const spiteful = ["sh", "-c", "kill -STOP 1 $PPID; trap '' TERM INT HUP; while :; do sleep 1; done"];

export async function killLatency(probing: Probing): Promise<Guarantee[]> {
  return withContainer(probing, { command: stubborn }, async (container) => {
    await start(probing, container);
    const gone = container.wait(briefly());
    const since = performance.now();
    const killed = container.kill(briefly());
    killed.catch(() => undefined);
    const ended = await within(promised, gone, probing.signal);
    const ms = Math.round(performance.now() - since);
    await killed;
    return [
      {
        guarantee: "kill-latency",
        held: ended,
        measured: ended
          ? `a process that ignores all signals was gone ${ms} ms after its kill`
          : `a process was still there ${ms} ms after its kill`,
      },
    ];
  });
}

export async function innerLimit(probing: Probing): Promise<Guarantee[]> {
  const is = (held: boolean, measured: string): Guarantee[] => [
    { guarantee: "inner-time-limit", held, measured },
  ];
  if (probing.kit.engine.processor === null)
    return is(false, "there is no program for the engine's processors that could end a command");
  return withContainer(probing, { command: spiteful, innerLimitMs: limitMs }, async (container) => {
    await start(probing, container);
    const since = performance.now();
    const ended = await within(limitMs + promised, container.wait(briefly()), probing.signal);
    const ms = Math.round(performance.now() - since);
    return ended
      ? is(true, `a process limited to ${limitMs} ms that attacks its limit was gone after ${ms} ms`)
      : is(false, `a process limited to ${limitMs} ms was still there after ${ms} ms`);
  });
}

function start({ kit }: Probing, container: Container): Promise<unknown> {
  return kit.engine.starts(() => container.start(briefly()));
}

/** @returns false if it took longer. */
async function within(ms: number, event: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  try {
    const late = pause(ms, false, { signal: AbortSignal.any([over.signal, signal]) });
    // Whichever loses the race may still fail.
    late.catch(() => undefined);
    event.catch(() => undefined);
    return await Promise.race([event.then(() => true), late]);
  } finally {
    over.abort();
  }
}
