/** Containers of the self-test: made like a revision's, with small limits of their own. */
import type { Container, MountSettings } from "dockerode";
import { ExitError, messageOf } from "../../../core/errors.ts";
import type { Guarantee, GuaranteeName } from "../../../core/guarantees.ts";
import { statusOf } from "../failure.ts";
import type { Image } from "../image.ts";
import type { Kit } from "../kit.ts";
import { make } from "../lifecycle.ts";
import { freshName, labelsOf } from "../names.ts";
import type { createOptions } from "../recipe.ts";
import { createCapture } from "../stream.ts";
import { type Ending, supervise } from "../supervise.ts";

const mebibyte = 2 ** 20;
/** Limits every probe runs under; small, so that reaching them takes no time. */
export const limits = { cpus: 1, memory: 64 * mebibyte, pids: 32, fileSize: 4 * mebibyte };
/** Milliseconds a probe may take; far more than it needs, on a busy machine too. */
const limitMs = 20_000;
/** Certainly no longer needed after this. */
export const lifetimeMs = 120_000;
const keptBytes = 64 * 2 ** 10;

export interface Probing {
  readonly kit: Kit;
  readonly image: Image;
  readonly runtime: string | undefined;
  /** The recipe under test. */
  readonly recipe: typeof createOptions;
  readonly signal: AbortSignal;
}

interface Command {
  readonly command: readonly string[];
  readonly mounts?: readonly MountSettings[];
  readonly gpus?: number;
  /** After which it is ended from inside; far beyond its time, if not given. */
  readonly innerLimitMs?: number;
}

/** Makes a container for `use` and removes it afterwards. */
export async function withContainer<T>(
  { kit, image, runtime, recipe, signal }: Probing,
  { command, mounts = [], gpus = 0, innerLimitMs = lifetimeMs }: Command,
  use: (container: Container) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { engine, owner, tidying } = kit;
  const labels = labelsOf(owner, null, lifetimeMs);
  const name = freshName(owner, "probe");
  const warden = await kit.warden(innerLimitMs);
  const made = make(
    engine,
    owner,
    recipe(engine, { name, image, command, warden, env: [], runtime, labels, mounts, limits, gpus }),
  );
  try {
    return await use(await made.created);
  } finally {
    await made.remove().catch(() => tidying.add(() => made.remove()));
  }
}

/** Runs the container's command. @throws ExitError `sandbox-lost`. */
export async function runToEnd(
  { kit, signal }: Probing,
  container: Container,
): Promise<{
  readonly ending: Ending;
  readonly state: NonNullable<Ending["state"]>;
  readonly printed: string;
}> {
  const captures = { stdout: createCapture(keptBytes, 0), stderr: createCapture(keptBytes, 0) };
  const watch = {
    limitMs,
    captures,
    outputLimit: mebibyte,
    diskFull: new Promise<void>(() => undefined),
    started: () => undefined,
  };
  const ending = await supervise(kit.engine, container, watch, signal);
  const { state, lost } = ending;
  if (state === null)
    throw new ExitError(
      "sandbox-lost",
      `The sandbox engine could not be tried: ${lost} Try again when it answers.`,
    );
  return { ending, state, printed: captures.stdout.text() };
}

/**
 * What an engine refuses is not held; an engine that does not answer says nothing about its guarantees.
 * @throws everything but a refusal
 */
export async function unlessRefused(
  names: readonly GuaranteeName[],
  probe: () => Promise<Guarantee[]>,
): Promise<Guarantee[]> {
  try {
    return await probe();
  } catch (error) {
    if (statusOf(error) === null) throw error;
    const measured = `the engine refused the container: ${messageOf(error).trim()}`;
    return names.map((guarantee) => ({ guarantee, held: false, measured }));
  }
}
