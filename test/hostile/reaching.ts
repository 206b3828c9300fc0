/** Journal steps of a sandbox, and waiting for one of them. */
import type { Journal } from "../../src/core/ports.ts";
import { createMemoryJournal } from "../support/memory-journal.ts";

export interface Steps {
  readonly journal: Journal;
  /** `key step`, in their order. */
  readonly taken: readonly string[];
  /** Resolves when so many steps that end with `text` were taken. */
  reached(text: string, times?: number): Promise<void>;
}

/** A step that is not reached by then never will be. */
const patienceMs = 120_000;

export function followSteps(): Steps {
  const taken: string[] = [];
  const waiting = new Set<() => void>();
  return {
    taken,
    journal: createMemoryJournal((key, step) => {
      taken.push(`${key} ${step}`);
      for (const look of waiting) look();
    }),
    reached: (text, times = 1) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`never reached "${text}"`)), patienceMs);
        const look = (): void => {
          if (taken.filter((step) => step.endsWith(text)).length < times) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
