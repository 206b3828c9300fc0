/** A run whose history and snapshots are real and lie on a small disk; its model and its scores are instant. */
import assert from "node:assert/strict";
import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openSnapshots } from "../../../src/adapters/git/snapshots.ts";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import { checkSpace, freeBytes } from "../../../src/app/space.ts";
import { type LoopContext, type LoopEnd, runLoop } from "../../../src/core/loop.ts";
import type { Observer, Policy, Store } from "../../../src/core/ports.ts";
import { memoryWorld } from "../../support/memory-world.ts";

/** Opens what lies on the disk, or begins it. */
export async function openDisk(disk: string): Promise<{ store: Store; snapshots: LoopContext["snapshots"] }> {
  return {
    store: openStore(join(disk, "history.db")),
    snapshots: await openSnapshots(join(disk, "snapshots.git")),
  };
}

/** Begins the run on the disk, or goes on with it, in one session of the product. */
export async function runOnDisk(
  disk: string,
  iterations: number,
  observer: Observer,
  policy?: Policy,
): Promise<LoopEnd> {
  const { store, snapshots } = await openDisk(disk);
  try {
    const { context, store: model } = await memoryWorld({ snapshots, iterations, ...(policy && { policy }) });
    const [root, run] = [model.nodes()[0], store.runs()[0] ?? context.run];
    assert.ok(root);
    if (store.nodes().length === 0) store.addRoot(root);
    if (store.runs().length === 0) store.openRun(run);
    const space = (): Promise<void> => checkSpace({ state: [disk], engine: null }, freeBytes);
    return await runLoop(
      { ...context, run, store, observer, checkSpace: space },
      new AbortController().signal,
    );
  } finally {
    store.close();
  }
}

/** Everything a run has made, as far as it does not depend on when it was made. */
export async function recordOf(disk: string): Promise<unknown> {
  const { store, snapshots } = await openDisk(disk);
  try {
    const groups = store.groupIds().map((id) => store.group(id));
    const members = groups.flatMap((group) =>
      (group?.replies ?? []).map(
        ({ index, seed, text, verdict, score, quality, reward, advantage, snapshot }) => ({
          ...{ group: group?.id, state: group?.state, index, seed, length: text.length },
          ...{ verdict, score, quality, reward, advantage, snapshot },
        }),
      ),
    );
    for (const { snapshot } of members) if (snapshot !== null) await snapshots.read(snapshot);
    return {
      members,
      nodes: store.nodes().map(({ id, parent, score }) => ({ id, parent, score })),
      buffer: store.buffer(),
    };
  } finally {
    store.close();
  }
}

/** Takes the space of a disk but for so many bytes, with a file named `filler`. */
export function fill(disk: string, leave: number): void {
  const file = openSync(join(disk, "filler"), "a");
  const free = (): number => {
    const { bavail, bsize } = statfsSync(disk);
    return bavail * bsize;
  };
  try {
    for (let piece = 2 ** 22; piece >= 1; ) {
      if (leave > 0 && free() <= leave) return;
      try {
        writeSync(file, Buffer.alloc(piece));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        piece = Math.floor(piece / 4);
      }
    }
  } finally {
    closeSync(file);
  }
}
