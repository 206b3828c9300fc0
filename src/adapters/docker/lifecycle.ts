/** Making and removing containers and volumes so that doing it twice, or half, does no harm. */
import { setTimeout as pause } from "node:timers/promises";
import type { Container, ContainerCreateOptions } from "dockerode";
import { briefly, type Engine } from "./engine.ts";
import { statusOf } from "./failure.ts";
import { belongsTo, type Owner } from "./names.ts";

/** How often something is tried that another call may be in the way of. */
const attempts = 5;

export type NamedOptions = ContainerCreateOptions & { readonly name: string };

/** A container of ours, from the moment its making was asked for. */
export interface Made {
  readonly name: string;
  /** Resolves when it is created. */
  readonly created: Promise<Container>;
  /** Removes it, running or not, whatever became of its making. May be called again, until it succeeds. */
  remove(): Promise<void>;
}

export function make(engine: Engine, owner: Owner, options: NamedOptions): Made {
  return madeBy(options.name, createContainer(engine, owner, options), (error) =>
    // Refused means that there is nothing; without an answer it may have been made.
    statusOf(error) === null ? findOwn(engine, owner, options.name) : Promise.resolve(null),
  );
}

/** A container an earlier process made. */
export function takeOver(name: string, container: Container): Made {
  return madeBy(name, Promise.resolve(container), () => Promise.resolve(null));
}

/** @param found looks for what the making may have left, though it failed */
function madeBy(
  name: string,
  created: Promise<Container>,
  found: (error: unknown) => Promise<Container | null>,
): Made {
  // Whoever needs it awaits it; a failure before that is not lost, only late.
  created.catch(() => undefined);
  let removal: Promise<void> | null = null;

  async function removeNow(): Promise<void> {
    try {
      await removeContainer(await created.catch(found));
    } catch (error) {
      removal = null;
      throw error;
    }
  }

  return {
    name,
    created,
    remove() {
      removal ??= removeNow();
      return removal;
    },
  };
}

/**
 * Creates a container; one of ours that already has its name is a leftover and goes first. It may be going already, as
 * the first attempt of a trial tidies up while the second begins: then the name is free in a moment.
 */
async function createContainer(engine: Engine, owner: Owner, options: NamedOptions): Promise<Container> {
  // Said apart, or the library puts all of it into the address as well, which some servers find too long.
  const { name, ...rest } = options;
  const call = { _query: { name }, _body: rest };
  for (let turn = 1; ; turn += 1) {
    try {
      return await engine.docker.createContainer({ ...call, ...briefly() } as ContainerCreateOptions);
    } catch (error) {
      if (statusOf(error) !== 409 || turn === attempts) throw error;
      const leftover = await findOwn(engine, owner, name);
      if (leftover === null) await pause(100 * turn);
      else await removeContainer(leftover);
    }
  }
}

/** The container of that name, null if there is none or it is not ours. */
async function findOwn(engine: Engine, owner: Owner, name: string): Promise<Container | null> {
  const container = engine.docker.getContainer(name);
  try {
    const { Id, Config } = await container.inspect(briefly());
    return belongsTo(owner, Config.Labels) ? engine.docker.getContainer(Id) : null;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Calls `remove` until the thing is gone. */
async function untilGone(remove: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await remove();
      return;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404) return;
      // 409: a removal is under way, or something still uses it; 500: a mount is still busy.
      if ((status !== 409 && status !== 500) || attempt === attempts) throw error;
      await pause(100 * attempt);
    }
  }
}

/** Removes a container, running or not, with its anonymous volumes. Gone already is fine, and so is none. */
export async function removeContainer(container: Container | null): Promise<void> {
  if (container !== null) await untilGone(() => container.remove({ force: true, v: true, ...briefly() }));
}

/** Removes a volume. Gone already is fine. */
export function removeVolume(engine: Engine, name: string): Promise<void> {
  return untilGone(() => engine.docker.getVolume(name).remove({ ...briefly() }));
}
