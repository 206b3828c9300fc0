/**
 * How many threads to evaluate with. The threads of one evaluation wait for each other many hundred times a token,
 * and wait by spinning: as soon as one of them has to share its core with another program (a sandbox that scores
 * the previous replies, say), all of them stand still and sampling becomes ten to fifty times slower. So while
 * others use the machine, fewer threads are faster than all of them.
 */

/** What the process used within a window of time. */
export interface Usage {
  /** Seconds. */
  readonly wall: number;
  /** Seconds, over all threads. */
  readonly cpu: number;
  /** Times the system took a core away from a thread that wanted it. */
  readonly preempted: number;
}

export interface Pace {
  readonly threads: number;
  /** Seconds of undisturbed evaluation before one more thread is tried. */
  readonly patience: number;
  /** Undisturbed seconds so far. */
  readonly calm: number;
}

const firstPatience = 5;
const mostPatience = 60;

export function firstPace(threads: number): Pace {
  return { threads, patience: firstPatience, calm: 0 };
}

/** The pace after a window, for at most `most` threads. A try that fails doubles the patience before the next. */
export function nextPace(pace: Pace, usage: Usage, most: number): Pace {
  if (isDisturbed(pace, usage)) {
    if (pace.threads === 1) return { ...pace, calm: 0 };
    const patience = pace.calm < pace.patience ? Math.min(mostPatience, pace.patience * 2) : firstPatience;
    return { threads: pace.threads - 1, patience, calm: 0 };
  }
  const calm = pace.calm + usage.wall;
  if (pace.threads < most && calm >= pace.patience) return { ...pace, threads: pace.threads + 1, calm: 0 };
  return { ...pace, calm };
}

function isDisturbed({ threads }: Pace, { wall, cpu, preempted }: Usage): boolean {
  return cpu / wall < 0.7 * threads || preempted / wall > 40 * threads;
}
