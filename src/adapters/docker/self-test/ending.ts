/** How a command that wants to stay is ended: by us, and without us. */
import { setTimeout as pause } from "node:timers/promises";
import type { Container } from "dockerode";
import type { Guarantee } from "../../../core/guarantees.ts";
import { briefly } from "../engine.ts";
import { limited } from "../recipe.ts";
import { type Probing, withContainer } from "./probe-container.ts";

/** Milliseconds a command may outlive its end. */
const promised = 3_000;
/** How long the inner limit of one second may take, its hard kill two seconds later included. */
const innerPatience = 6_000;

const stubborn = ["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done"];

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
  if (!(await probing.kit.hasTimeout(probing.image))) return is(false, 'the image lacks "timeout"');
  return withContainer(probing, { command: limited(stubborn, 1) }, async (container) => {
    await start(probing, container);
    const since = performance.now();
    const ended = await within(innerPatience, container.wait(briefly()), probing.signal);
    const ms = Math.round(performance.now() - since);
    return ended
      ? is(true, `a process that ignores all signals, limited to 1000 ms, was gone after ${ms} ms`)
      : is(false, `a process limited to 1000 ms was still there after ${ms} ms`);
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
