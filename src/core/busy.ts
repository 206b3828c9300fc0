/** How busy the two sides of the pipeline are: the time in which at least one piece of work is under way. */

/** Counts the time in which at least one of the pieces given to it is under way, however many overlap. */
export interface BusyMeter {
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Milliseconds so far, those counted before included. */
  ms(): number;
}

export interface BusyMeters {
  /** At least one reply is being sampled. */
  readonly model: BusyMeter;
  /** At least one revision is being scored, or waits for room to be. */
  readonly sandbox: BusyMeter;
}

/** @param before milliseconds counted by earlier sessions of the run */
export function busyMeter(monotonic: () => number, before: number): BusyMeter {
  let counted = before;
  let underWay = 0;
  let since = 0;
  return {
    async during(work) {
      if (underWay++ === 0) since = monotonic();
      try {
        return await work();
      } finally {
        if (--underWay === 0) counted += monotonic() - since;
      }
    },
    ms: () => counted + (underWay > 0 ? monotonic() - since : 0),
  };
}
