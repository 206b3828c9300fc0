/** Names and labels of everything this adapter makes in the engine, so that it can be found and removed again. */
import { createHash, randomUUID } from "node:crypto";

/** Whose containers and volumes these are. */
export interface Owner {
  /** The installation that started them. */
  readonly owner: string;
  readonly workspaceId: string;
  /** The process that makes them: what another one made is what an earlier one left. */
  readonly session: string;
}

const prefix = "exit-ml";
const ownerLabel = `${prefix}.owner`;
const workspaceLabel = `${prefix}.workspace`;
const sessionLabel = `${prefix}.session`;
/** Digest of what a revision's container was made for (request.ts). */
export const requestLabel = `${prefix}.request`;

type Labels = Readonly<Record<string, string>> | undefined;

/**
 * Labels of one container or volume.
 * @param run id of the run it serves, or null; @param lifetimeMs after which it is certainly no longer needed.
 */
export function labelsOf(owner: Owner, run: string | null, lifetimeMs: number): Record<string, string> {
  return {
    [ownerLabel]: owner.owner,
    [workspaceLabel]: owner.workspaceId,
    [sessionLabel]: owner.session,
    [`${prefix}.run`]: run ?? "",
    [`${prefix}.deadline`]: new Date(Date.now() + lifetimeMs).toISOString(),
  };
}

/** The engine's label filter for what belongs to `owner`, and nothing else. */
export function labelFilter(owner: Owner): string[] {
  return [`${ownerLabel}=${owner.owner}`, `${workspaceLabel}=${owner.workspaceId}`];
}

export function belongsTo(owner: Owner, labels: Labels): boolean {
  return labels?.[ownerLabel] === owner.owner && labels[workspaceLabel] === owner.workspaceId;
}

export function isOfSession(owner: Owner, labels: Labels): boolean {
  return labels?.[sessionLabel] === owner.session;
}

/** Part of every name: an engine that dies while it makes something may leave it without its labels. */
export function nameTag(owner: Owner): string {
  return digestOf(owner.owner, owner.workspaceId).slice(0, 12);
}

/** Something that was to carry the owner's labels and does not. */
export function isUnlabelled(owner: Owner, name: string, labels: Labels): boolean {
  const isNamed = new RegExp(`^/?${prefix}-([a-z]+-)?${nameTag(owner)}-`).test(name);
  return isNamed && labels?.[ownerLabel] === undefined;
}

/** Same trial, same name: a second attempt meets what the first one left instead of running beside it. */
export function trialName(owner: Owner, key: string): string {
  return `${prefix}-${nameTag(owner)}-${digestOf(key).slice(0, 24)}`;
}

/** Name of the container a revision runs in. */
export function runName(owner: Owner, key: string): string {
  return `${trialName(owner, key)}-run`;
}

export function isRunName(name: string): boolean {
  return name.endsWith("-run");
}

/** A name nobody used before. */
export function freshName(owner: Owner, kind: "scratch" | "holder" | "hatch" | "guard" | "probe"): string {
  return `${prefix}-${kind}-${nameTag(owner)}-${randomUUID()}`;
}

export function isNameOf(kind: "holder" | "guard", name: string): boolean {
  return new RegExp(`^/?${prefix}-${kind}-`).test(name);
}

function digestOf(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex");
}
