/**
 * Working directories on disk, for tasks that need more than fits in memory. A plain volume has no limit of its
 * own, so a small container beside the revision measures it every second: a soft limit, said in the warnings.
 */
import type { Container } from "dockerode";
import { ExitError } from "../../core/errors.ts";
import { ask } from "./ask.ts";
import { briefly, type Engine } from "./engine.ts";
import type { Image } from "./image.ts";
import { type Made, make, removeVolume } from "./lifecycle.ts";
import { freshName, labelsOf, type Owner } from "./names.ts";
import { createOptions, uid, workdir } from "./recipe.ts";
import { makeHatch, type Scratch, volumeMount } from "./scratch.ts";
import type { Tidying } from "./tidying.ts";

/** Exit code by which the measuring container says "full". */
const full = 75;

/** Resolves when a measuring container says so; never, if it ends in another way. */
export function whenFull(guard: Container): Promise<void> {
  const never = new Promise<void>(() => undefined);
  return guard.wait().then(
    (ended: { StatusCode: number }) => (ended.StatusCode === full ? undefined : never),
    () => never,
  );
}

export interface GuardSettings {
  readonly engine: Engine;
  readonly owner: Owner;
  readonly image: Image;
  /** Bytes. */
  readonly disk: number;
  readonly tidying: Tidying;
}

/** A fresh volume on disk with its guard running. @param needMs how long it is needed at most. */
export async function takeGuarded(
  settings: GuardSettings,
  run: string | null,
  needMs: number,
): Promise<Scratch> {
  const { engine, owner, image, disk, tidying } = settings;
  const labels = labelsOf(owner, run, needMs);
  const volume = freshName(owner, "scratch");
  /** Runs as root without any power but `capability`; nothing of the revision's is ever executed. */
  const helper = async (
    command: readonly string[],
    capability: string,
    readOnly: boolean,
  ): Promise<Container> => {
    const options = createOptions(engine, {
      name: freshName(owner, "guard"),
      image,
      command,
      warden: null,
      env: [],
      labels,
      mounts: [volumeMount(volume, workdir, readOnly)],
      limits: { cpus: 1, memory: 64 * 2 ** 20, pids: 16, fileSize: 2 ** 20 },
      gpus: 0,
    });
    const helping = make(engine, owner, {
      ...options,
      User: "0:0",
      HostConfig: { ...options.HostConfig, CapAdd: [capability] },
    });
    made.push(helping);
    const container = await helping.created;
    await engine.starts(() => container.start(briefly()));
    return container;
  };
  const made: Made[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(made.map((each) => each.remove()));
    await removeVolume(engine, volume);
  };
  try {
    await engine.docker.createVolume({ Name: volume, Driver: "local", Labels: labels, ...briefly() });
    // A plain volume belongs to root; the revision does not.
    const owning = await helper(["chown", `${uid}:${uid}`, workdir], "CHOWN", false);
    const { StatusCode } = await owning.wait(briefly());
    if (StatusCode !== 0)
      throw new ExitError(
        "image-unsuitable",
        `The image ${image.name} lacks chown, du or sleep, which a disk above 1g needs. Use an image with coreutils, or a disk up to 1g.`,
      );
    const used = `"$(du -sk ${workdir} | cut -f1)"`;
    const measure = `while sleep 1; do [ ${used} -le ${Math.ceil(disk / 1024)} ] || exit ${full}; done`;
    const isFull = `[ ${used} -ge ${Math.floor((disk / 1024) * 0.99)} ]`;
    const guard = await helper(["sh", "-c", measure], "DAC_READ_SEARCH", true);
    return {
      volume,
      hatch: makeHatch(engine, owner, image, volume, labels),
      diskFull: whenFull(guard),
      isSound: () => Promise.resolve(true),
      isFull: () => ask(guard, ["sh", "-c", isFull]),
      release(removed) {
        tidying.add(async () => {
          await remove();
          removed();
        });
      },
    };
  } catch (error) {
    tidying.add(remove);
    throw error;
  }
}
