/**
 * Revisions that a process which died had started (research/sandbox.md 4h). Their containers run on by themselves,
 * and their working directories last as long as the container that holds them: whoever asks for the same trial again
 * takes them over, and the command is not run a second time.
 */
import type { Container, ContainerInfo, ContainerInspectInfo } from "dockerode";
import { briefly, type Engine } from "./engine.ts";
import { statusOf } from "./failure.ts";
import { whenFull } from "./guard.ts";
import { hasNoRoom } from "./holder.ts";
import type { Image } from "./image.ts";
import { removeContainer, removeVolume } from "./lifecycle.ts";
import { isNameOf, isRunName, labelsOf, type Owner, requestLabel } from "./names.ts";
import { type Counts, countOf, findEarlier, removeThings } from "./reap.ts";
import { makeHatch, type Scratch } from "./scratch.ts";
import type { Tidying } from "./tidying.ts";

type State = ContainerInspectInfo["State"];

/** Milliseconds after which nobody will ask any more: models are loaded and other trials finished by then. */
const waitsFor = 3_600_000;
/** Exit codes of commands that may have been killed, by a process that can no longer tell why. */
const killed = [124, 137, 143];

/** A revision's container from before, running or ended. */
export interface Inherited {
  readonly container: Container;
  readonly state: State;
  readonly scratch: Scratch;
}

export interface Inheritance {
  readonly removed: Counts;
  /** How many revisions can be taken over. */
  readonly kept: number;
  /**
   * Hands over the container of that name, if it was made for exactly this request and what became of it can still
   * be told; else removes it. @param request digest of the request
   */
  take(name: string, request: string, limitMs: number): Promise<Inherited | null>;
  /** Removes the container of that name: its outcome is known. */
  forget(name: string): void;
  /** Removes what nobody asked for. */
  drop(): void;
}

/** Milliseconds a container has been running, by the engine's clock. */
export function ranFor(state: State): number {
  return Math.max(0, Date.now() - Date.parse(state.StartedAt));
}

/** Finds what earlier processes left, keeps the revisions among it that were started, and removes the rest. */
export async function inherit(engine: Engine, owner: Owner, tidying: Tidying): Promise<Inheritance> {
  const left = await findEarlier(engine, owner);
  const entries = new Map<string, Entry>();
  const groups = new Map<string, Group>();
  for (const revision of left.containers.filter(wasStarted)) {
    const volume = volumesOf(revision)[0];
    const helpers = left.containers.filter((each) => volume !== undefined && isHelper(each, volume));
    const id = helpers.map(({ Id }) => Id).join();
    if (volume === undefined || !helpers.some(isRunning)) continue;
    const group = groups.get(id) ?? createGroup(engine, helpers, tidying);
    groups.set(id, group);
    group.lent += 1;
    const container = engine.docker.getContainer(revision.Id);
    const image = { name: revision.Image, digest: revision.ImageID };
    entries.set(nameOf(revision), { container, volume, image, group });
  }

  const keptGroups = [...groups.values()];
  const keptIds = new Set([...entries.values()].map(({ container }) => container.id));
  for (const { helpers } of keptGroups) for (const { Id } of helpers) keptIds.add(Id);
  const keptVolumes = new Set(keptGroups.flatMap(({ volumes }) => volumes));
  const rest = {
    containers: left.containers.filter(({ Id }) => !keptIds.has(Id)),
    volumes: left.volumes.filter(({ Name }) => !keptVolumes.has(Name)),
  };
  await removeThings(engine, rest);

  const letGo = async ({ container, group }: Entry): Promise<void> => {
    await removeContainer(container);
    group.giveBack(() => undefined);
  };
  const drop = (): void => {
    for (const entry of entries.values()) tidying.add(() => letGo(entry));
    entries.clear();
  };
  setTimeout(drop, waitsFor).unref();
  return {
    removed: countOf(rest),
    kept: entries.size,
    async take(name, request, limitMs) {
      const entry = entries.get(name);
      if (entry === undefined) return null;
      entries.delete(name);
      const state = await usable(entry, request, limitMs).catch((error: unknown) => {
        tidying.add(() => letGo(entry));
        throw error;
      });
      if (state !== null)
        return { container: entry.container, state, scratch: scratchOf(engine, owner, entry) };
      await letGo(entry);
      return null;
    },
    forget(name) {
      const entry = entries.get(name);
      if (entry !== undefined) tidying.add(() => letGo(entry));
      entries.delete(name);
    },
    drop,
  };
}

interface Entry {
  readonly container: Container;
  readonly volume: string;
  readonly image: Image;
  readonly group: Group;
}

/** What keeps working directories, and all that are kept by it. */
interface Group {
  readonly helpers: readonly ContainerInfo[];
  readonly volumes: readonly string[];
  /** Revisions that still need it. */
  lent: number;
  readonly diskFull: Promise<void>;
  isSound(): Promise<boolean>;
  isFull(volume: string): Promise<boolean>;
  giveBack(removed: () => void): void;
}

function createGroup(engine: Engine, helpers: readonly ContainerInfo[], tidying: Tidying): Group {
  const volumes = [...new Set(helpers.flatMap(volumesOf))];
  const containers = helpers.map(({ Id }) => engine.docker.getContainer(Id));
  const guards = helpers.filter(({ Names }) => isNameOf("guard", Names[0] ?? ""));
  const whenRemoved: (() => void)[] = [];
  const group: Group = {
    helpers,
    volumes,
    lent: 0,
    diskFull: Promise.race([
      new Promise<void>(() => undefined),
      ...guards.map(({ Id }) => whenFull(engine.docker.getContainer(Id))),
    ]),
    async isSound() {
      const states = await Promise.all(containers.map(stateOf));
      return states.some((state) => state?.Running === true);
    },
    async isFull(volume) {
      for (const { Id, Mounts } of helpers) {
        const mount = Mounts.find(({ Name }) => Name === volume);
        // A guard measures by itself, and ends.
        if (mount !== undefined && guards.length === 0)
          return hasNoRoom(engine.docker.getContainer(Id), mount.Destination);
      }
      return false;
    },
    giveBack(removed) {
      group.lent -= 1;
      whenRemoved.push(removed);
      if (group.lent > 0) return;
      tidying.add(async () => {
        await Promise.all(containers.map(removeContainer));
        await Promise.all(volumes.map((volume) => removeVolume(engine, volume)));
        for (const tell of whenRemoved.splice(0)) tell();
      });
    },
  };
  return group;
}

function scratchOf(engine: Engine, owner: Owner, { volume, image, group }: Entry): Scratch {
  return {
    volume,
    hatch: makeHatch(engine, owner, image, volume, labelsOf(owner, null, waitsFor)),
    diskFull: group.diskFull,
    isSound: () => group.isSound(),
    isFull: () => group.isFull(volume),
    release: (removed) => group.giveBack(removed),
  };
}

/**
 * Its state, if it runs within its limit or ended by itself. A command that was killed is run again: the process that
 * killed it knew why and is gone. So is one beyond its limit: no verdict hangs on the clock of the wall.
 */
async function usable({ container, group }: Entry, request: string, limitMs: number): Promise<State | null> {
  const info = await inspected(container);
  if (info === null || info.Config.Labels[requestLabel] !== request || !(await group.isSound())) return null;
  const { State } = info;
  if (State.Running) return !State.Paused && ranFor(State) < limitMs ? State : null;
  if (State.Status !== "exited" || State.Error !== "") return null;
  return State.OOMKilled || !killed.includes(State.ExitCode) ? State : null;
}

async function inspected(container: Container): Promise<ContainerInspectInfo | null> {
  try {
    return await container.inspect(briefly());
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

async function stateOf(container: Container): Promise<State | null> {
  return (await inspected(container))?.State ?? null;
}

function nameOf({ Names }: ContainerInfo): string {
  return (Names[0] ?? "").replace(/^\//, "");
}

function wasStarted(container: ContainerInfo): boolean {
  const { State, Labels } = container;
  return (
    isRunName(nameOf(container)) &&
    Labels[requestLabel] !== undefined &&
    ["running", "exited"].includes(State)
  );
}

function isHelper(container: ContainerInfo, volume: string): boolean {
  const name = nameOf(container);
  return (isNameOf("holder", name) || isNameOf("guard", name)) && volumesOf(container).includes(volume);
}

function isRunning({ State }: ContainerInfo): boolean {
  return State === "running";
}

function volumesOf({ Mounts }: ContainerInfo): string[] {
  return Mounts.flatMap(({ Type, Name }) => (Type === "volume" && Name !== undefined ? [Name] : []));
}
