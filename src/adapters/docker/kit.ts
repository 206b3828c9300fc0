/** What running and evaluating share: the engine, the owner's name, and what is made once for many trials. */
import { scratchInMemory } from "../../core/need.ts";
import type { Journal } from "../../core/ports.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { parseSize } from "../../core/task.ts";
import { createCanary } from "./canary.ts";
import { answers, type Engine } from "./engine.ts";
import { codeOf, isOutsideTrouble } from "./failure.ts";
import { takeGuarded } from "./guard.ts";
import { createHolders, type Holders } from "./holder.ts";
import { findImage, type Image, imageName } from "./image.ts";
import type { Owner } from "./names.ts";
import type { Warden } from "./recipe.ts";
import type { Scratch } from "./scratch.ts";
import type { Tidying } from "./tidying.ts";
import { placeWarden } from "./warden/warden.ts";

/** The steps written to the journal, in their order. */
type Step =
  | "intent"
  | "created"
  | "started"
  | "exited"
  | "collected"
  | "container-gone"
  | "evaluated"
  | "volumes-gone";

export interface Kit {
  readonly engine: Engine;
  readonly owner: Owner;
  /** Absolute; for collected outputs and evaluators' folders. */
  readonly outputsFolder: string;
  readonly tidying: Tidying;
  /** The word only evaluators see. */
  readonly canary: string;
  record(key: string, step: Step, data: Readonly<Record<string, unknown>>): void;
  /**
   * The task's image: looked up at the first call and with `again`, the same content in between.
   * @throws ExitError `image-missing`.
   */
  image(definition: TaskDefinition, again?: "again"): Promise<Image>;
  /** What ends a command after `limitMs` milliseconds; null if there is none for the engine's processors. */
  warden(limitMs: number): Promise<Warden | null>;
  /** A fresh working directory. @param needMs how long it is needed at most. */
  scratch(image: Image, definition: TaskDefinition, run: string | null, needMs: number): Promise<Scratch>;
  /** No more working directories; those not in use are removed. */
  close(): void;
}

export function createKit(parts: {
  readonly engine: Engine;
  readonly owner: Owner;
  readonly journal: Journal;
  readonly outputsFolder: string;
  readonly tidying: Tidying;
}): Kit {
  const { engine, owner, tidying, journal } = parts;
  const holders = new Map<string, Holders>();
  const images = new Map<string, Promise<Image>>();

  return {
    ...parts,
    canary: createCanary(),
    record: (key, step, data) => journal.record(key, step, data),
    image(definition, again) {
      const name = imageName(definition);
      const known = (again ? undefined : images.get(name)) ?? findImage(engine, definition);
      images.set(name, known);
      known.catch(() => images.delete(name));
      return known;
    },
    async warden(limitMs) {
      const { processor } = engine;
      if (processor === null) return null;
      // Looked for each time: the folder may have been tidied up meanwhile.
      const file = await placeWarden(parts.outputsFolder, processor);
      return { file, seconds: Math.ceil(limitMs / 1000) };
    },
    scratch(image, definition, run, needMs) {
      const disk = parseSize(definition.sandbox.disk);
      const settings = { engine, owner, image, disk, tidying };
      if (!scratchInMemory(definition)) return takeGuarded(settings, run, needMs);
      const kind = `${image.digest} ${disk}`;
      const known = holders.get(kind) ?? createHolders(settings);
      holders.set(kind, known);
      return known.take(run, needMs);
    },
    close() {
      for (const each of holders.values()) each.close();
    },
  };
}

/**
 * Does `attempt` again, once, if the engine and not the command failed and the engine answers again.
 * An error from outside the program becomes an outcome through `lost`; errors meant for the user pass.
 * @throws the signal's reason.
 */
export async function twiceIfLost<T>(
  engine: Engine,
  attempt: () => Promise<T>,
  isLost: (outcome: T) => boolean,
  lost: (error: unknown) => T,
  signal: AbortSignal,
): Promise<T> {
  const guarded = async (): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!isOutsideTrouble(error)) throw error;
      return lost(error);
    }
  };
  signal.throwIfAborted();
  const first = await guarded();
  if (!isLost(first) || !(await answers(engine.docker))) return first;
  signal.throwIfAborted();
  return guarded();
}

/** True where a system call failed for want of space. */
export function isFull(error: unknown): boolean {
  return (
    codeOf(error) === "ENOSPC" || (error instanceof Error && /no space left on device/i.test(error.message))
  );
}
