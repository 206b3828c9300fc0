/**
 * One process at a time for work that lasts, by the lock file of mutex.ts; of one kind with scripts/setup/lock.mjs,
 * which makes the same environment of the trainer.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { abortable } from "../../core/abortable.ts";
import { release, take } from "./mutex.ts";

const lookAgainMs = 250;

/** @param onWait told once, with the process that holds it */
export async function withLock<T>(
  file: string,
  onWait: (pid: number) => void,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const taken = take(file);
    if ("token" in taken) {
      try {
        return await work();
      } finally {
        release(file, taken.token);
      }
    }
    if (!told && taken.heldBy !== null) {
      onWait(taken.heldBy);
      told = true;
    }
    await abortable(pause(lookAgainMs), signal);
  }
}
