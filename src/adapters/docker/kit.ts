/** What running and evaluating share: the engine, the owner's name, and what is made once for many trials. */
import { isExitError } from "../../core/errors.ts";
import { scratchInMemory } from "../../core/need.ts";
import type { Journal, JournalStep } from "../../core/ports.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { parseSize } from "../../core/task.ts";
import { createCanary } from "./canary.ts";
import { type Engine, untilItAnswers } from "./engine.ts";
import { codeOf, isOutsideTrouble } from "./failure.ts";
import { takeGuarded } from "./guard.ts";
import { createHolders, type Holders } from "./holder.ts";
import { findImage, type Image, imageName } from "./image.ts";
import { type Inheritance, type Inherited, inherit } from "./inherit.ts";
import type { Owner } from "./names.ts";
import { findEarlier, removeThings } from "./reap.ts";
import type { Warden } from "./recipe.ts";
import type { Scratch } from "./scratch.ts";
import type { Tidying } from "./tidying.ts";
import { placeWarden } from "./warden/warden.ts";

/** The steps written to the journal, in their order. */
type Step =
  | "intent"
  | "created"
  | "started"
  | "taken-over"
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
  /** What was recorded when the step was taken last, null if it never was. */
  recorded(key: string, step: Step): JournalStep["data"] | null;
  /**
   * The task's image: looked up at the first call and with `again`, the same content in between.
   * @throws ExitError `image-missing`.
   */
  image(definition: TaskDefinition, again?: "again"): Promise<Image>;
  /** What ends a command after `limitMs` milliseconds; null if there is none for the engine's processors. */
  warden(limitMs: number): Promise<Warden | null>;
  /** A fresh working directory. @param needMs how long it is needed at most. */
  scratch(image: Image, definition: TaskDefinition, run: string | null, needMs: number): Promise<Scratch>;
  /** After trouble with the engine: what is kept for the next trials goes, unless it survived. */
  doubt(): Promise<void>;
  /** Keeps what an earlier process had started, and removes what else it left. */
  recover(): Promise<Inheritance>;
  /** What an earlier process had started for this request. */
  inherited(name: string, request: string, limitMs: number): Promise<Inherited | null>;
  /** Its outcome is known already. */
  forget(name: string): void;
  /** No more working directories; those not in use are removed, and so is what nobody took over. */
  close(): void;
  /** Removes what the engine made for an earlier process after that had died. */
  sweep(): Promise<void>;
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
  let inheritance: Inheritance | null = null;

  return {
    ...parts,
    canary: createCanary(),
    record: (key, step, data) => journal.record(key, step, data),
    recorded: (key, step) => journal.steps(key).find((taken) => taken.step === step)?.data ?? null,
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
    async doubt() {
      await Promise.all([...holders.values()].map((each) => each.doubt()));
    },
    async recover() {
      inheritance = await inherit(engine, owner, tidying);
      return inheritance;
    },
    async inherited(name, request, limitMs) {
      return inheritance?.take(name, request, limitMs) ?? null;
    },
    forget: (name) => inheritance?.forget(name),
    close() {
      inheritance?.drop();
      for (const each of holders.values()) each.close();
    },
    async sweep() {
      if (inheritance !== null) await removeThings(engine, await findEarlier(engine, owner));
    },
  };
}

/**
 * Does `attempt` again, once, if the engine and not the command failed and the engine answers again.
 * An error from outside the program becomes an outcome through `lost`; errors meant for the user pass.
 * @throws ExitError `docker-unreachable` if the engine is gone: that is no outcome of one trial; the signal's reason.
 */
export async function twiceIfLost<T>(
  kit: Pick<Kit, "engine" | "doubt">,
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
  if (!isLost(first)) return first;
  await untilItAnswers(kit.engine, signal);
  await kit.doubt();
  signal.throwIfAborted();
  const second = await guarded();
  if (isLost(second)) await untilItAnswers(kit.engine, signal);
  return second;
}

/** Did another trial find the engine gone, so that removing things now would only keep everybody waiting? */
export function isEngineGone(reason: unknown): boolean {
  return isExitError(reason, "docker-unreachable");
}

/** True where a system call failed for want of space. */
export function isFull(error: unknown): boolean {
  return (
    codeOf(error) === "ENOSPC" || (error instanceof Error && /no space left on device/i.test(error.message))
  );
}
