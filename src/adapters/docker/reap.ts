/** Removes what earlier processes of this workspace left in the engine, and nothing else. */
import type { Engine } from "./engine.ts";
import { briefly } from "./engine.ts";
import { removeContainer, removeVolume } from "./lifecycle.ts";
import { labelFilter, type Owner } from "./names.ts";

/** Implements `Sandbox.reap`, the folders left aside. */
export async function reap(
  engine: Engine,
  owner: Owner,
): Promise<{ readonly containers: number; readonly volumes: number }> {
  const filters = { label: labelFilter(owner) };
  const containers = await engine.docker.listContainers({ all: true, filters, ...briefly() });
  await Promise.all(containers.map(({ Id }) => removeContainer(engine.docker.getContainer(Id))));
  // The engine answers null where there are none.
  const { Volumes } = await engine.docker.listVolumes({ filters, ...briefly() });
  const volumes = Volumes ?? [];
  await Promise.all(volumes.map(({ Name }) => removeVolume(engine, Name)));
  return { containers: containers.length, volumes: volumes.length };
}
