/**
 * Runners killed over and over, at moments chosen so that every durable write of a run is hit, before and after it;
 * and what the runs came to, compared with the same runs undisturbed.
 */
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { messageOf } from "../../../src/core/errors.ts";
import { type HistoryRead, readHistory } from "./history.ts";
import { leftBehind } from "./left-behind.ts";
import type { Lives } from "./life.ts";
import { type Scene, withScene } from "./scene.ts";
import { doubled, kindsOf, type Write } from "./trace.ts";

export interface Toll {
  kills: number;
  ms: number;
  /** Kills by moment. */
  readonly struck: Map<string, number>;
  /** Moments no run came to. */
  readonly missed: string[];
  /** Samples and scores that were stored before a kill and not after it. */
  readonly lost: string[];
  readonly doubled: string[];
  readonly leftBehind: string[];
  /** Runs whose record differs from the undisturbed one's. */
  readonly differing: string[];
  runs: number;
  iterations: number;
  /** Members with an outcome, of all runs. */
  finished: number;
  /** Revisions that went on in the container a killed runner had started. */
  takenOver: number;
  /** Revisions that were started once more after a kill. */
  startedAgain: number;
}

/** Of one kind in one process: the first, the second, the third. */
const occurrences = 3;
/** A write only a runner makes that goes on. */
const takenOver = "run taken-over";

/** The moments to kill at, given the names of the writes of an undisturbed run. */
export type Plan = (kinds: readonly string[]) => readonly string[];

/**
 * Before every write, then after every write. A run is opened and ended once, so what a run is opened and ended with
 * stands at either end: then hardly a run goes on without being struck.
 */
export const everyMoment: Plan = (kinds) => {
  const between = kinds.filter((kind) => kind !== "run opened" && kind !== "run ended");
  return ["before", "after"].flatMap((when) => [
    `${when} run opened`,
    ...between.flatMap((kind) =>
      // A revision was just started, which the next runner takes over.
      kind === "run started"
        ? [`${when} ${kind}`, `after ${kind}`, `${when} ${takenOver}`]
        : [`${when} ${kind}`],
    ),
    `${when} run ended`,
  ]);
};

export interface TollRequest {
  /** Runners to kill, at least. */
  readonly kills: number;
  /** Of each run. */
  readonly iterations: number;
  readonly plan: Plan;
}

/** @param tell hears how it goes */
export function takeToll(request: TollRequest, tell: (line: string) => void): Promise<Toll> {
  return withScene(request.iterations, async (scene) => {
    const began = performance.now();
    const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0);
    const toll: Toll = {
      ...{ kills: 0, ms: 0, runs: 0, iterations: 0, finished: 0, takenOver: 0, startedAgain: 0 },
      ...{ struck: new Map(), missed: [], lost: [], doubled: [], leftBehind: [], differing: [] },
    };
    const dooms = createDooms(request.plan);
    for (let seed = 1; toll.kills < request.kills; seed += 1) {
      await compareRuns(scene, seed, request, dooms, toll);
      tell(`run with seed ${seed}: ${toll.kills} of ${request.kills} kills, ${seconds()} s`);
    }
    toll.ms = performance.now() - began;
    return toll;
  });
}

/** What the runners are doomed to, one after the other. */
interface Dooms {
  next(kinds: readonly string[]): string;
  /** The run was over before it came to that. @returns false if it will be tried no more */
  postpone(doom: string, wasFirst: boolean): boolean;
}

function createDooms(plan: Plan): Dooms {
  const waiting: string[] = [];
  let rounds = 0;
  return {
    next(kinds) {
      if (waiting.length === 0) {
        const occurrence = 1 + (rounds % occurrences);
        // A run is opened and ended once.
        const numbered = (moment: string): string =>
          `${moment} ${/ run (opened|ended)$/.test(moment) ? 1 : occurrence}`;
        waiting.push(...plan(kinds).map(numbered));
        rounds += 1;
      }
      return waiting.shift() ?? "";
    },
    postpone(doom, wasFirst) {
      if (!wasFirst) waiting.unshift(doom);
      return !wasFirst;
    },
  };
}

/** One run twice: undisturbed, and with kills until it is over. */
async function compareRuns(
  scene: Scene,
  seed: number,
  request: TollRequest,
  dooms: Dooms,
  toll: Toll,
): Promise<void> {
  const expected = await scene.undisturbed(seed);
  const lives = scene.begin(seed);
  try {
    const read = await strike(lives, kindsOf(expected.trace), request.kills, dooms, toll);
    toll.runs += 1;
    toll.iterations += request.iterations;
    toll.finished += [...read.replies.values()].filter(({ verdict }) => verdict !== null).length;
    noteTrace(lives.trace(), toll);
    try {
      assert.deepEqual(read.record, expected.record);
    } catch (error) {
      toll.differing.push(`seed ${seed}: ${messageOf(error)}`);
    }
    toll.leftBehind.push(...(await leftBehind(lives.folder)));
  } finally {
    lives.remove();
  }
}

async function strike(
  lives: Lives,
  kinds: readonly string[],
  count: number,
  dooms: Dooms,
  toll: Toll,
): Promise<HistoryRead> {
  let read: HistoryRead | null = null;
  do {
    const doom = toll.kills < count ? dooms.next(kinds) : null;
    const end = await lives.live(doom);
    const now = readHistory(lives.folder);
    toll.lost.push(...lostSince(read, now, lives.told));
    if (doom !== null && end === "killed") {
      const moment = doom.replace(/ \d+$/, "");
      toll.struck.set(moment, (toll.struck.get(moment) ?? 0) + 1);
      toll.kills += 1;
    } else if (doom !== null && !dooms.postpone(doom, read === null)) toll.missed.push(doom);
    read = now;
  } while (!read.isOver);
  // What the last one left is found by whoever comes next.
  await lives.visit((client) => client.call("score", { task: null, from: null }));
  return read;
}

/** Members that were stored, or said to be, and are not there any more as they were. */
function lostSince(
  before: HistoryRead | null,
  now: HistoryRead,
  told: ReadonlyMap<string, string | null>,
): string[] {
  const lost: string[] = [];
  for (const [member, verdict] of told) {
    const stored = now.replies.get(member);
    if (stored === undefined || (verdict !== null && stored.verdict !== verdict))
      lost.push(`${member} was told`);
  }
  for (const [member, { text, verdict, score, snapshot, ms }] of before?.replies ?? []) {
    const stored = now.replies.get(member);
    const isThere = stored?.text === text && stored.ms === ms;
    const isScored = verdict === null || (stored?.verdict === verdict && stored.score === score);
    if (!isThere || !isScored || (snapshot !== null && stored.snapshot !== snapshot)) lost.push(member);
  }
  return lost;
}

function noteTrace(trace: readonly Write[], toll: Toll): void {
  toll.doubled.push(...doubled(trace));
  const started = trace.filter(({ what }) => what === "run started").map(({ key }) => key);
  toll.startedAgain += started.length - new Set(started).size;
  toll.takenOver += trace.filter(({ what }) => what === takenOver).length;
}
