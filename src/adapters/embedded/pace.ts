/**
 * How many threads to evaluate with. The threads of one evaluation wait for each other many hundred times a token,
 * and wait by spinning: as soon as one of them has to share its core with another program, all of them stand still.
 * Measured on two cores, tokens per second: alone 75 with two threads and 42 with one; beside one busy program 3
 * with two threads and 39 with one. A sandbox that scores the previous replies is such a program, so the cores that
 * others use are left to them.
 */

/** What the machine did within a window of time. */
export interface Usage {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of processor time that went to other processes. */
  readonly others: number;
}

export interface Pace {
  readonly threads: number;
  /** Seconds since there was last no room for more threads. */
  readonly calm: number;
}

/** Share of a core others may use before it counts as taken. */
const tolerated = 0.25;
/** Threads come back after this many seconds: running into others costs several, and they tend to return. */
const patience = 4;

/** The pace after a window on a machine with `cores`, for at most `most` threads. */
export function nextPace(pace: Pace, { wall, others }: Usage, cores: number, most: number): Pace {
  const free = Math.floor(cores - others / wall + tolerated);
  const room = Math.max(1, Math.min(most, free));
  if (room <= pace.threads) return { threads: room, calm: 0 };
  const calm = pace.calm + wall;
  return calm < patience ? { ...pace, calm } : { threads: room, calm: 0 };
}
