/** What a workspace has left in the engine: by its labels, and by its names where labels are missing. */
import { createHash } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { nameTag } from "../../../src/adapters/docker/names.ts";
import { docker } from "../../adapters/docker/trial.ts";

const short = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** What the runner of a workspace labels its containers with. @param folder of the workspace, links resolved */
export function whoseIs(folder: string): { readonly owner: string; readonly workspaceId: string } {
  return { owner: short(`${hostname()}/${userInfo().uid}`), workspaceId: short(folder) };
}

export async function leftBehind(folder: string): Promise<readonly string[]> {
  const { owner, workspaceId } = whoseIs(folder);
  const tag = nameTag({ owner, workspaceId, session: "" });
  const isOurs = (name: string, labels: Readonly<Record<string, string>> | null): boolean =>
    labels?.["exit-ml.workspace"] === workspaceId || name.includes(tag);
  const containers = await docker.listContainers({ all: true });
  const { Volumes } = await docker.listVolumes();
  const networks = await docker.listNetworks();
  return [
    ...containers
      .filter(({ Names, Labels }) => isOurs(Names[0] ?? "", Labels))
      .map(({ Names }) => `container ${Names[0]}`),
    ...(Volumes ?? []).filter(({ Name, Labels }) => isOurs(Name, Labels)).map(({ Name }) => `volume ${Name}`),
    ...networks
      .filter(({ Name, Labels }) => isOurs(Name, Labels ?? null) || Name.startsWith("exit-ml"))
      .map(({ Name }) => `network ${Name}`),
  ];
}
