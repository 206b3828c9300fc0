/** Plays every case against a provider of the port `Sandbox`, whichever it is. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { messageOf } from "../../src/core/errors.ts";
import type { Sandbox, Scorer } from "../../src/core/ports.ts";
import type { Case } from "./case.ts";
import type { Steps } from "./reaching.ts";
import { openStage, proveUnharmed, type Stage } from "./stage.ts";

/** A sandbox as a provider gives it to one case, empty. */
export interface Stand {
  readonly sandbox: Sandbox;
  readonly scorer: Scorer;
  /** Name of an image with Python 3, a shell and coreutils. */
  readonly image: string;
  /** A second sandbox on the same engine, for a workspace of that name, but of another installation. */
  beside(): Promise<Stand>;
  /** The same, but its orders to kill get lost on the way to the engine. */
  withoutKills(): Promise<Stand>;
  /** Takes the container of the revision under way away, as another user of the engine would. */
  removeRunning(): Promise<void>;
  /** One more name of the image. `remove` may be called again. */
  tag(): Promise<{ readonly name: string; remove(): Promise<void> }>;
  readonly steps: Steps;
  /** Ends the sandbox; then everything of it must be gone. */
  close(): Promise<void>;
  /** Names what is left of this sandbox in the engine, and what runs on this machine without a container. */
  leftovers(): Promise<readonly string[]>;
}

export interface Provider {
  readonly name: string;
  /** @param folder an empty folder for what the sandbox and the scorer keep. */
  open(folder: string): Promise<Stand>;
  /** A sandbox that looks for its engine where there is none. */
  openWithoutEngine(folder: string): Stand;
}

export interface Outcome {
  readonly verdicts: readonly string[];
  readonly ms: number;
  /** Empty: as it must be. */
  readonly faults: readonly string[];
  readonly leftovers: readonly string[];
  readonly overruns: readonly number[];
  readonly notes: readonly string[];
  /** Bytes by which this process grew; null where others ran beside it. */
  readonly memory: { readonly kept: number; readonly peak: number } | null;
}

/** Bytes a case may leave in this process: its record, and what libraries keep for the next call. */
const mayKeep = 4 * 2 ** 20;
/** Bytes this process may grow by for a while, garbage not yet collected included. */
const mayPeak = 64 * 2 ** 20;

/** @param atOnce how many cases are played together, of those that do not mind */
export async function playAll(
  provider: Provider,
  cases: readonly Case[],
  atOnce: number,
  done: (played: Case, outcome: Outcome) => void,
): Promise<void> {
  const queue = cases.filter((each) => !each.alone).values();
  const worker = async (): Promise<void> => {
    for (const each of queue) done(each, await play(provider, each, null));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const each of cases) if (each.alone) done(each, await play(provider, each, await watchMemory()));
}

async function play(provider: Provider, played: Case, memory: MemoryWatch | null): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), `exit-ml-hostile-${played.id}-`));
  const began = performance.now();
  const faults: string[] = [];
  const leftovers: string[] = [];
  const noting = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      faults.push(messageOf(error));
    }
  };
  let stage: Stage | null = null;
  await noting(async () => {
    const stand = await provider.open(mkdirIn(folder, "stand"));
    const opened = openStage(provider, stand, folder);
    stage = opened;
    const { play } = played;
    await noting(async () => {
      if (typeof play === "function") await play(opened);
      else for (const trial of play) await opened.trial(trial);
    });
    await noting(() => proveUnharmed(opened));
    await noting(() => stand.close());
    leftovers.push(...(await stand.leftovers()));
  });
  rmSync(folder, { recursive: true, force: true });
  const grown = (await memory?.end()) ?? null;
  if (grown !== null && (grown.kept > mayKeep || grown.peak > mayPeak))
    faults.push(`this process grew by ${grown.kept} bytes, ${grown.peak} at the peak`);
  const { met = [], overruns = [], notes = [], faults: noted = [] } = (stage as Stage | null) ?? {};
  return {
    verdicts: met,
    ms: performance.now() - began,
    faults: [...noted, ...faults],
    leftovers,
    overruns,
    notes,
    memory: grown,
  };
}

export function mkdirIn(folder: string, name: string): string {
  const made = join(folder, name);
  mkdirSync(made);
  return made;
}

interface MemoryWatch {
  end(): Promise<{ kept: number; peak: number }>;
}

async function watchMemory(): Promise<MemoryWatch> {
  const held = async (): Promise<number> => {
    // The bytes of buffers are given back after the collection that found them unused, on another thread.
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc?.();
      await turn();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = await held();
  const resident = process.memoryUsage.rss();
  let most = resident;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  return {
    async end() {
      clearInterval(timer);
      return { kept: Math.max(0, (await held()) - before), peak: most - resident };
    },
  };
}
