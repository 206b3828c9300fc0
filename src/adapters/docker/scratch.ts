/** The working directory of a revision: a volume used once. */
import type { MountSettings } from "dockerode";
import type { Watch } from "./supervise.ts";

export interface Scratch {
  readonly volume: string;
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
