/**
 * Working directories in memory. Such a volume has a hard limit of bytes and files on every file system, but it
 * is emptied when its last user ends. So one small container holds a batch of fresh ones mounted: each is used by
 * one revision only, its content outlives the revision's exit, and the holder's start is shared by the batch.
 */
import type { Container } from "dockerode";
import { ask } from "./ask.ts";
import { briefly, type Engine } from "./engine.ts";
import type { Image } from "./image.ts";
import { type Made, make, removeVolume } from "./lifecycle.ts";
import { freshName, labelsOf, type Owner } from "./names.ts";
import { createOptions, uid } from "./recipe.ts";
import { makeHatch, type Scratch, volumeMount } from "./scratch.ts";
import type { Tidying } from "./tidying.ts";

const gibibyte = 2 ** 30;
/** What the used volumes of a batch may hold before the batch is removed, at most. */
const heldBytes = 2 * gibibyte;
const largestBatch = 16;
const files = 65_536;
const day = 24 * 3600 * 1000;
/** Ends with 0 if of the file system at `$0` less than one block in a hundred is free, or no further file. */
const lookForRoom = `set -- $(stat -f -c "%b %a %d" "$0") && [ $(($2 * 100)) -lt "$1" -o "$3" -eq 0 ]`;

type Ready = Pick<Scratch, "volume" | "hatch">;

interface Batch {
  readonly container: Container;
  /** On the monotonic clock, in ms: when the holder ends by itself. */
  readonly endsAt: number;
  isFull(volume: string): Promise<boolean>;
  /** Removes the holder and all volumes. */
  remove(): Promise<void>;
  /** The volume that is lent next, made ready ahead; undefined when there is none left. */
  next: Ready | undefined;
  /** Makes one of the free volumes ready. */
  ready(): Ready | undefined;
  hatchFor(volume: string): Made;
  /** Volumes a revision is using. */
  lent: number;
  /** No more is lent; it goes when the last volume comes back. */
  closed: boolean;
  readonly whenRemoved: (() => void)[];
}

export interface HolderSettings {
  readonly engine: Engine;
  readonly owner: Owner;
  readonly image: Image;
  /** Bytes of one volume. */
  readonly disk: number;
  readonly tidying: Tidying;
}

export interface Holders {
  /** @param needMs how long the volume is needed at most. */
  take(run: string | null, needMs: number): Promise<Scratch>;
  /** The volumes not lent yet are given up if the holder is gone, and their content with it. */
  doubt(): Promise<void>;
  close(): void;
}

export function createHolders(settings: HolderSettings): Holders {
  let current: Promise<Batch> | null = null;

  /** The batch to take from, made if there is none. A failure is not remembered. */
  function open(run: string | null, needMs: number): Promise<Batch> {
    if (current === null) {
      const made = makeBatch(settings, run, Math.max(day, 2 * needMs));
      current = made;
      made.catch(() => {
        if (current === made) current = null;
      });
    }
    return current;
  }

  function removeIfDone(batch: Batch): void {
    if (!batch.closed || batch.lent > 0) return;
    settings.tidying.add(async () => {
      await batch.next?.hatch.remove();
      await batch.remove();
      for (const tell of batch.whenRemoved.splice(0)) tell();
    });
  }

  /** Its hatch was made while nobody waited for it: what failed then is no trouble of this trial, and made again. */
  function soundHatch(batch: Batch, { volume, hatch }: Ready): Promise<Made> {
    return hatch.created.then(
      () => hatch,
      () => {
        settings.tidying.add(() => hatch.remove());
        return batch.hatchFor(volume);
      },
    );
  }

  function retire(batch: Batch, made: Promise<Batch> | null): void {
    if (current === made) current = null;
    if (batch.closed) return;
    batch.closed = true;
    removeIfDone(batch);
  }

  return {
    async take(run, needMs) {
      for (;;) {
        const opened = open(run, needMs);
        const batch = await opened;
        const lasts = batch.endsAt - performance.now() > needMs;
        const taken = lasts && !batch.closed ? batch.next : undefined;
        if (taken === undefined) {
          retire(batch, opened);
          continue;
        }
        batch.lent += 1;
        batch.next = batch.ready();
        if (batch.next === undefined) {
          batch.closed = true;
          // The next one is made while this one's last volume is at work.
          if (current === opened) current = null;
          open(run, needMs).catch(() => undefined);
        }
        return {
          volume: taken.volume,
          hatch: await soundHatch(batch, taken),
          diskFull: new Promise(() => undefined),
          async isSound() {
            const running = await isRunning(batch.container);
            if (!running) retire(batch, opened);
            return running;
          },
          isFull: () => batch.isFull(taken.volume),
          release(removed) {
            batch.lent -= 1;
            batch.whenRemoved.push(removed);
            removeIfDone(batch);
          },
        };
      }
    },
    async doubt() {
      const made = current;
      const batch = await made?.catch(() => null);
      if (batch && !(await isRunning(batch.container))) retire(batch, made);
    },
    close() {
      const made = current;
      if (made === null) return;
      settings.tidying.add(async () => {
        const batch = await made.catch(() => null);
        if (batch !== null) retire(batch, made);
      });
    },
  };
}

/** Is the volume full that a holder has mounted at `folder`? */
export function hasNoRoom(holder: Container, folder: string): Promise<boolean> {
  return ask(holder, ["sh", "-c", lookForRoom, folder]);
}

async function isRunning(container: Container): Promise<boolean> {
  try {
    return (await container.inspect(briefly())).State.Running;
  } catch {
    return false;
  }
}

async function makeBatch(settings: HolderSettings, run: string | null, lifetimeMs: number): Promise<Batch> {
  const { engine, owner, image, disk, tidying } = settings;
  const count = Math.max(1, Math.min(largestBatch, Math.floor(heldBytes / disk)));
  const labels = labelsOf(owner, run, lifetimeMs);
  const volumes = Array.from({ length: count }, () => freshName(owner, "scratch"));
  const options = createOptions(engine, {
    name: freshName(owner, "holder"),
    image,
    command: ["sleep", String(Math.ceil(lifetimeMs / 1000))],
    warden: null,
    env: [],
    labels,
    mounts: volumes.map((volume, index) => volumeMount(volume, `/volumes/${index}`)),
    limits: { cpus: 1, memory: 64 * 2 ** 20, pids: 16, fileSize: 2 ** 20 },
    gpus: 0,
  });
  let made: Made | null = null;
  const remove = async (): Promise<void> => {
    await made?.remove();
    await Promise.all(volumes.map((volume) => removeVolume(engine, volume)));
  };
  try {
    await Promise.all(volumes.map((volume) => makeVolume(engine, volume, labels, disk)));
    made = make(engine, owner, options);
    const container = await made.created;
    await engine.starts(() => container.start(briefly()));
    const endsAt = performance.now() + lifetimeMs;
    const isFull = (volume: string): Promise<boolean> =>
      hasNoRoom(container, `/volumes/${volumes.indexOf(volume)}`);
    const free = [...volumes];
    const hatchFor = (volume: string): Made => makeHatch(engine, owner, image, volume, labels);
    const ready = (): Ready | undefined => {
      const volume = free.pop();
      return volume === undefined ? undefined : { volume, hatch: hatchFor(volume) };
    };
    const lending = { next: ready(), lent: 0, closed: false, whenRemoved: [] };
    return { container, endsAt, isFull, remove, ready, hatchFor, ...lending };
  } catch (error) {
    tidying.add(remove);
    throw error;
  }
}

async function makeVolume(
  engine: Engine,
  name: string,
  labels: Record<string, string>,
  disk: number,
): Promise<void> {
  await engine.docker.createVolume({
    Name: name,
    Driver: "local",
    DriverOpts: {
      type: "tmpfs",
      device: "tmpfs",
      o: `size=${disk},nr_inodes=${files},uid=${uid},gid=${uid},mode=0755,nosuid,nodev`,
    },
    Labels: labels,
    ...briefly(),
  });
}
