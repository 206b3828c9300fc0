/** The journal's port in memory: the same rules, no durability. */
import type { Journal, JournalStep } from "../../src/core/ports.ts";

/** @param taken hears of every step */
export function createMemoryJournal(taken: (key: string, step: string) => void = () => undefined): Journal {
  const trials = new Map<string, JournalStep[]>();
  return {
    record(key, step, data) {
      const others = (trials.get(key) ?? []).filter((other) => other.step !== step);
      trials.set(key, [...others, { step, data }]);
      taken(key, step);
    },
    steps: (key) => trials.get(key) ?? [],
  };
}
