/** The working directory of a revision: a volume used once. */
import type { MountSettings } from "dockerode";
import type { Engine } from "./engine.ts";
import type { Image } from "./image.ts";
import { type Made, make } from "./lifecycle.ts";
import { freshName, type Owner } from "./names.ts";
import { createOptions, workdir } from "./recipe.ts";
import type { Watch } from "./supervise.ts";

export interface Scratch {
  readonly volume: string;
  /** See `makeHatch`; whoever took the scratch removes it before the release. */
  readonly hatch: Made;
  /** Resolves if more was written than allowed; never, where the volume itself has a limit. */
  readonly diskFull: Watch["diskFull"];
  /** False if what keeps the content alive is gone, so that a failure says nothing about the revision. */
  isSound(): Promise<boolean>;
  /** Is there no room left in it, as measured? False where that cannot be told. */
  isFull(): Promise<boolean>;
  /** Gives the volume back to be removed; its users are gone. @param removed called when it is. */
  release(removed: () => void): void;
}

/** Mounts a volume as it is: nothing of the image is copied into it. */
export function volumeMount(volume: string, target: string, readOnly = false): MountSettings {
  return {
    Type: "volume",
    Source: volume,
    Target: target,
    ReadOnly: readOnly,
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "local", Options: {} } },
  };
}

/**
 * A second container on the volume, one that never starts and has nothing else mounted: everything goes in and out
 * through it, so that the engine's archive calls meet neither a live process nor a folder of this machine.
 */
export function makeHatch(
  engine: Engine,
  owner: Owner,
  image: Image,
  volume: string,
  labels: Record<string, string>,
): Made {
  const options = createOptions(engine, {
    name: freshName(owner, "hatch"),
    image,
    command: ["true"],
    warden: null,
    env: [],
    labels,
    mounts: [volumeMount(volume, workdir)],
    limits: { cpus: 1, memory: 64 * 2 ** 20, pids: 16, fileSize: 2 ** 20 },
    gpus: 0,
  });
  return make(engine, owner, options);
}
