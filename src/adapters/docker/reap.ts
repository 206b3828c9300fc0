/** What this workspace has in the engine: found by its labels and names, removed, and nothing else with it. */
import type { ContainerInfo, VolumeInspectInfo } from "dockerode";
import { briefly, type Engine } from "./engine.ts";
import { removeContainer, removeVolume } from "./lifecycle.ts";
import { isOfSession, isUnlabelled, labelFilter, nameTag, type Owner } from "./names.ts";

export interface Things {
  readonly containers: readonly ContainerInfo[];
  readonly volumes: readonly VolumeInspectInfo[];
}

export interface Counts {
  readonly containers: number;
  readonly volumes: number;
}

/** Everything of the workspace; labels are missing where the engine was broken off while it made something. */
export async function find(engine: Engine, owner: Owner): Promise<Things> {
  const byLabel = { label: labelFilter(owner) };
  const byName = { name: [nameTag(owner)] };
  const containersBy = (filters: Record<string, string[]>): Promise<ContainerInfo[]> =>
    engine.docker.listContainers({ all: true, filters, ...briefly() });
  const volumesBy = async (filters: Record<string, string[]>): Promise<VolumeInspectInfo[]> =>
    // The engine answers null where there are none.
    (await engine.docker.listVolumes({ filters, ...briefly() })).Volumes ?? [];
  const [labelled, named, labelledVolumes, namedVolumes] = await Promise.all([
    containersBy(byLabel),
    containersBy(byName),
    volumesBy(byLabel),
    volumesBy(byName),
  ]);
  return {
    containers: [
      ...labelled,
      ...named.filter(({ Names, Labels }) => isUnlabelled(owner, Names[0] ?? "", Labels)),
    ],
    volumes: [
      ...labelledVolumes,
      ...namedVolumes.filter(({ Name, Labels }) => isUnlabelled(owner, Name, Labels ?? undefined)),
    ],
  };
}

/** What earlier processes left. */
export async function findEarlier(engine: Engine, owner: Owner): Promise<Things> {
  const { containers, volumes } = await find(engine, owner);
  return {
    containers: containers.filter(({ Labels }) => !isOfSession(owner, Labels)),
    volumes: volumes.filter(({ Labels }) => !isOfSession(owner, Labels ?? undefined)),
  };
}

export async function removeThings(engine: Engine, { containers, volumes }: Things): Promise<void> {
  await Promise.all(containers.map(({ Id }) => removeContainer(engine.docker.getContainer(Id))));
  await Promise.all(volumes.map(({ Name }) => removeVolume(engine, Name)));
}

export function countOf({ containers, volumes }: Things): Counts {
  return { containers: containers.length, volumes: volumes.length };
}
