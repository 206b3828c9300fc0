/**
 * Watches over one started command until it is known how it ended. No single promise decides: the engine's wait
 * call may stay pending for ever after an engine crash, a closed stream proves nothing. What counts is the cause
 * we noted before acting, and what the engine says about the container afterwards.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Container, ContainerInspectInfo } from "dockerode";
import { messageOf } from "../../core/errors.ts";
import type { Evidence } from "../../core/ports.ts";
import { attach, replay } from "./attach.ts";
import { briefly, type Engine } from "./engine.ts";
import { isOutsideTrouble, statusOf } from "./failure.ts";
import { type Capture, type Channel, demultiplexer } from "./stream.ts";

export type Cause = NonNullable<Evidence["killedFor"]>;
type State = ContainerInspectInfo["State"];

/** How a command ended. */
export interface Ending {
  /** Why we killed it, null if we did not. */
  readonly cause: Cause | null;
  /** The engine's last word on the container, null if it could not be had. */
  readonly state: State | null;
  /** What the engine reported about it meanwhile: `oom`, `kill`; null if that could not be had. */
  readonly events: readonly string[] | null;
  /** True if the connection to the engine broke meanwhile: what was printed may be incomplete. */
  readonly interrupted: boolean;
  /** Why nothing is known about the command, null normally. */
  readonly lost: string | null;
  /** Milliseconds the command ran. */
  readonly ms: number;
}

export interface Watch {
  /** Milliseconds the command may run from now on. */
  readonly limitMs: number;
  /** It was started by an earlier process: what it printed meanwhile is read from the engine's log. */
  readonly takenOver?: boolean;
  readonly captures: Readonly<Record<Channel, Capture>>;
  /** Bytes of both channels together after which the command is killed. */
  readonly outputLimit: number;
  /** Resolves when the command has used more disk than it may. */
  readonly diskFull: Promise<void>;
  started(): void;
}

/** Longest delay a timer can count. */
const longestTimer = 2 ** 31 - 1;
const inspectEvery = 2_000;
const inspectTimeout = 4_000;
/** Milliseconds a command may outlive its limit while the engine is asked whether it has ended. */
const lookTimeout = 1_000;
/** An engine that gives no answer for so long is lost. */
const patience = 7_000;
/** To tell of a container's past. */
const eventsTimeout = 2_000;
/** The stream may end a little after the container. */
const drainFor = 2_000;
/** The engine's log of a container (recipe.ts) holds at least so many bytes before it forgets the first of them. */
const logBytes = 900_000;
/** What it adds to each piece, at most. */
const logOverhead = 64;

/**
 * Attaches to a created container, starts it and returns when it has ended, whatever it takes; or watches over one
 * that was started before.
 * @throws the signal's reason on abort; the engine's error if the container cannot be started. The container is
 * left to the caller in every case.
 */
export async function supervise(
  engine: Engine,
  container: Container,
  watch: Watch,
  signal: AbortSignal,
): Promise<Ending> {
  const over = new AbortController();
  const seen: Seen = { cause: null, interrupted: false };
  const kill = (cause: Cause): void => {
    seen.cause ??= cause;
    // Never awaited: on old engines it returns only while somebody reads the output. Tried again below.
    container.kill(briefly()).catch(() => undefined);
  };
  const takenOver = watch.takenOver === true;
  let logged = 0;
  const frames = demultiplexer((channel, bytes) => {
    watch.captures[channel].push(bytes);
    logged += bytes.length + logOverhead;
    // More than the log is sure to hold: its beginning may be lost.
    if (takenOver && logged > logBytes) seen.interrupted = true;
    const printed = watch.captures.stdout.total() + watch.captures.stderr.total();
    // Beyond the limit it is still read and dropped, or the kill would never come through.
    if (printed > watch.outputLimit && seen.cause === null) kill("output");
  });
  const output = await (takenOver ? replay : attach)(container, (bytes) => frames.take(bytes), signal);
  const reading = output.ended;
  // A connection that breaks is seen by the other calls too; anything else must not leave the command blocked.
  const unreadable = reading.then(
    () => {
      if (!frames.isWhole()) seen.interrupted = true;
      return new Promise<never>(() => undefined);
    },
    (error: unknown) => {
      seen.interrupted = true;
      if (isOutsideTrouble(error)) return new Promise<never>(() => undefined);
      throw error;
    },
  );
  unreadable.catch(() => undefined);

  try {
    const asked = takenOver ? Number.NEGATIVE_INFINITY : performance.now();
    if (!takenOver) {
      await engine.starts(() => {
        signal.throwIfAborted();
        return container.start(briefly());
      });
      watch.started();
    }
    // This process may have been stopped, or the machine asleep: what ended in time has not met its limit.
    const meetLimit = async (): Promise<void> => {
      if (!(await hasEnded(container)) && !over.signal.aborted) kill("deadline");
    };
    const deadline = setTimeout(() => void meetLimit(), Math.min(watch.limitMs, longestTimer));
    over.signal.addEventListener("abort", () => clearTimeout(deadline));
    void watch.diskFull.then(() => {
      if (!over.signal.aborted) kill("disk");
    });
    const { state, lost } = await unlessAborted(
      Promise.race([untilEnded(container, seen, kill, over.signal), unreadable]),
      signal,
    );
    const elapsed = performance.now() - asked;
    if (state === null) return { ...seen, state, lost, events: null, ms: elapsed };
    await Promise.race([reading.catch(() => undefined), pause(drainFor, undefined, { signal: over.signal })]);
    return {
      ...seen,
      state,
      lost,
      events: await eventsOf(engine, container, state),
      ms: duration(state, elapsed),
    };
  } finally {
    over.abort();
    output.destroy();
  }
}

interface Seen {
  cause: Cause | null;
  interrupted: boolean;
}

/** True if the engine says so at once. */
async function hasEnded(container: Container): Promise<boolean> {
  try {
    const { State } = await container.inspect({ abortSignal: AbortSignal.timeout(lookTimeout) });
    return !State.Running;
  } catch {
    return false;
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function untilEnded(
  container: Container,
  seen: Seen,
  kill: (cause: Cause) => void,
  over: AbortSignal,
): Promise<{ state: State | null; lost: string | null }> {
  let waiting = true;
  const exit = container.wait({ abortSignal: over }).then(
    () => {
      waiting = false;
    },
    () => {
      waiting = false;
      seen.interrupted = true;
    },
  );
  const nap = (ms: number): Promise<void> => pause(ms, undefined, { signal: over }).catch(() => undefined);
  const lost = (why: string): { state: null; lost: string } => ({ state: null, lost: why });
  let silentSince: number | null = null;
  let killedSince: number | null = null;
  for (;;) {
    await (waiting ? Promise.race([exit, nap(inspectEvery)]) : nap(inspectEvery / 10));
    if (over.aborted) return lost("aborted");
    const asked = performance.now();
    try {
      const { State } = await container.inspect({
        abortSignal: AbortSignal.any([over, AbortSignal.timeout(inspectTimeout)]),
      });
      silentSince = null;
      if (!State.Running && State.Status !== "created") return { state: State, lost: null };
      if (seen.cause === null) continue;
      kill(seen.cause);
      killedSince ??= asked;
      if (performance.now() - killedSince > patience) return lost("The engine could not stop the container.");
    } catch (error) {
      if (over.aborted) return lost("aborted");
      if (statusOf(error) === 404) return lost("The container was removed by someone else.");
      silentSince ??= asked;
      if (performance.now() - silentSince > patience)
        return lost(`The Docker engine no longer answers (${messageOf(error)}).`);
    }
  }
}

/** By the engine's clock, unless that clock was set meanwhile. */
function duration(state: State, elapsed: number): number {
  const ran = Date.parse(state.FinishedAt) - Date.parse(state.StartedAt);
  if (ran >= 0 && ran <= elapsed) return ran;
  return Number.isFinite(elapsed) ? elapsed : 0;
}

/**
 * Memory kills and foreign kills of this container, null if the engine does not tell; an out-of-memory child leaves
 * no other trace on some engines.
 */
async function eventsOf(engine: Engine, container: Container, state: State): Promise<string[] | null> {
  const late = AbortSignal.timeout(eventsTimeout);
  let text: string | null = null;
  try {
    const stream = await engine.docker.getEvents({
      since: Math.floor(Date.parse(state.StartedAt) / 1000),
      until: untilAfter(state) / 1000,
      filters: { container: [container.id], event: ["oom", "kill"] },
      abortSignal: late,
    });
    text = "";
    for await (const chunk of stream) text += chunk;
  } catch {
    // An engine whose clock is behind would wait for `until`; what it told before that counts.
    if (!late.aborted || text === null) return null;
  }
  const lines = text.split("\n").slice(0, -1).filter(Boolean);
  return lines.map((line) => String((JSON.parse(line) as Record<string, unknown>).Action));
}

/** A moment after the end on the engine's clock: ours, unless one of the two was set. */
function untilAfter({ FinishedAt }: State): number {
  const now = Date.now();
  const finished = Date.parse(FinishedAt);
  return now >= finished && now - finished < 60_000 ? now : finished + 1_000;
}
