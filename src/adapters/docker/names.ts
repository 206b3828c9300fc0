/** Names and labels of everything this adapter makes in the engine, so that it can be found and removed again. */
import { createHash, randomUUID } from "node:crypto";

/** Whose containers and volumes these are. */
export interface Owner {
  /** The installation that started them. */
  readonly owner: string;
  readonly workspaceId: string;
}

const prefix = "exit-ml";
const ownerLabel = `${prefix}.owner`;
const workspaceLabel = `${prefix}.workspace`;

/**
 * Labels of one container or volume.
 * @param run id of the run it serves, or null; @param lifetimeMs after which it is certainly no longer needed.
 */
export function labelsOf(owner: Owner, run: string | null, lifetimeMs: number): Record<string, string> {
  return {
    [ownerLabel]: owner.owner,
    [workspaceLabel]: owner.workspaceId,
    [`${prefix}.run`]: run ?? "",
    [`${prefix}.deadline`]: new Date(Date.now() + lifetimeMs).toISOString(),
  };
}

/** The engine's label filter for what belongs to `owner`, and nothing else. */
export function labelFilter(owner: Owner): string[] {
  return [`${ownerLabel}=${owner.owner}`, `${workspaceLabel}=${owner.workspaceId}`];
}

export function belongsTo(owner: Owner, labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[ownerLabel] === owner.owner && labels[workspaceLabel] === owner.workspaceId;
}

/** Same trial, same name: a second attempt meets what the first one left instead of running beside it. */
export function trialName(owner: Owner, key: string): string {
  const digest = createHash("sha256").update([owner.owner, owner.workspaceId, key].join("\0")).digest("hex");
  return `${prefix}-${digest.slice(0, 24)}`;
}

/** A name nobody used before. */
export function freshName(kind: "scratch" | "holder" | "hatch" | "guard" | "probe"): string {
  return `${prefix}-${kind}-${randomUUID()}`;
}
