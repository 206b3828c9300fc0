/** Removes what earlier processes of this workspace left in the engine, or only counts it; and nothing else. */
import type { Engine } from "./engine.ts";
import { briefly } from "./engine.ts";
import { removeContainer, removeVolume } from "./lifecycle.ts";
import { labelFilter, type Owner } from "./names.ts";

/** Implements `Sandbox.reap`, the folders left aside. */
export async function reap(
  engine: Engine,
  owner: Owner,
  dryRun?: "dryRun",
): Promise<{ readonly containers: number; readonly volumes: number }> {
  const filters = { label: labelFilter(owner) };
  const containers = await engine.docker.listContainers({ all: true, filters, ...briefly() });
  // The engine answers null where there are none.
  const volumes = (await engine.docker.listVolumes({ filters, ...briefly() })).Volumes ?? [];
  if (dryRun !== undefined) return { containers: containers.length, volumes: volumes.length };
  await Promise.all(containers.map(({ Id }) => removeContainer(engine.docker.getContainer(Id))));
  await Promise.all(volumes.map(({ Name }) => removeVolume(engine, Name)));
  return { containers: containers.length, volumes: volumes.length };
}
