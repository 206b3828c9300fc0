/** Cleaning up needs the workspace to itself: what works with snapshots, staged data or containers keeps it out. */
import { ExitError } from "../core/errors.ts";

export interface Occupancy {
  /** Does the work beside other such work, after a cleaning under way. */
  beside<T>(work: () => Promise<T>): Promise<T>;
  /** @throws ExitError `workspace-busy` instead of waiting. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createOccupancy(): Occupancy {
  let others = 0;
  let cleaning: Promise<unknown> | null = null;
  return {
    async beside(work) {
      while (cleaning !== null) await cleaning;
      others++;
      try {
        return await work();
      } finally {
        others--;
      }
    },
    async alone(work) {
      if (others > 0 || cleaning !== null)
        throw new ExitError(
          "workspace-busy",
          "Something else is under way in this workspace: wait until it has ended, then clean up.",
        );
      const done = work();
      cleaning = done.catch(() => undefined);
      try {
        return await done;
      } finally {
        cleaning = null;
      }
    },
  };
}
