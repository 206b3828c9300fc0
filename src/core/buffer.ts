/**
 * The learnability buffer `B` (EXIT.md sections 2.1, 2.9, 2.10): an immutable list of entries in the order they
 * came in, and the one function that changes it. Two nodes of a task with equal snapshots are one entry.
 */
import type { BufferChanges, BufferEntry } from "./history.ts";
import { versionsBehind } from "./policy-version.ts";
import { pickUniform, pickWeighted } from "./rng.ts";
import type { Settings } from "./settings.ts";

export type Buffer = readonly BufferEntry[];

/** A node that may enter: `node` is already the oldest of its snapshot. */
export interface Candidate {
  readonly task: string;
  readonly node: string;
  /** Null: the bare request, which has no quality either. */
  readonly snapshot: string | null;
  readonly failed: boolean;
  readonly quality: number | null;
}

/** What a closed group tells the buffer. */
export interface BufferUpdate {
  readonly start: Candidate;
  /** The start was drawn from the buffer. */
  readonly fromBuffer: boolean;
  /** Learnability just measured; start and children take it. */
  readonly S: number;
  readonly informative: boolean;
  readonly policy: string;
  /** Members of the group with a node of their own, in index order; empty under `curriculum`. */
  readonly children: readonly Candidate[];
  readonly closedSeq: number;
}

type BufferSettings = Pick<Settings, "insert" | "paper"> & { readonly capacity: number };
/** A recorded draw in [0, 1) for a purpose; asked only when the choice is not forced. */
export type DrawFor = (purpose: string, index?: number) => number;

function same(a: Pick<Candidate, "task" | "snapshot">, b: Pick<Candidate, "task" | "snapshot">): boolean {
  return a.task === b.task && a.snapshot === b.snapshot;
}

/** Capacity `N` for a task space of `tasks` instances. */
export function defaultCapacity(tasks: number): number {
  return 24 + 4 * Math.max(0, tasks - 8);
}

/** Weights of the start draw, one an entry; all equal when every `S` is 0. */
export function startWeights(
  entries: Buffer,
  policy: string,
  settings: Pick<Settings, "kappa" | "maxPolicyAge" | "paper">,
): number[] {
  if (settings.paper) return entries.map((entry) => Math.exp(settings.kappa * entry.S));
  const largest = Math.max(...entries.map((entry) => entry.S));
  if (largest === 0) return entries.map(() => 1);
  return entries.map((entry) => {
    const outdated = versionsBehind(policy, entry.policy) > settings.maxPolicyAge;
    return Math.exp(settings.kappa * (outdated ? 1 : entry.S / largest));
  });
}

/** Draws the next start among `entries` (not empty). */
export function drawStart(
  entries: Buffer,
  u: number,
  policy: string,
  settings: Pick<Settings, "kappa" | "maxPolicyAge" | "paper">,
): BufferEntry {
  const entry = entries[pickWeighted(u, startWeights(entries, policy, settings))];
  if (entry === undefined) throw new RangeError("drawStart needs at least one entry");
  return entry;
}

/** The entry that has to go for a newcomer with score `S`, or null if the newcomer stays out. */
function victim(among: Buffer, S: number, drawFor: DrawFor, newcomer: number): BufferEntry | null {
  const lowest = Math.min(...among.map((entry) => entry.S));
  if (S < lowest) return null;
  const equals = among.filter((entry) => entry.S === lowest);
  const oldest = Math.min(...equals.map((entry) => entry.insertedAt));
  const tied = equals.filter((entry) => entry.insertedAt === oldest);
  const place = tied.length > 1 ? pickUniform(drawFor("evict", newcomer), tied.length) : 0;
  return tied[place] ?? null;
}

function insert(
  buffer: Buffer,
  entry: BufferEntry,
  settings: BufferSettings,
  drawFor: DrawFor,
  newcomer: number,
): Buffer {
  const failed = buffer.filter((other) => other.failed);
  const atFailedCap = !settings.paper && entry.failed && failed.length >= Math.floor(settings.capacity / 3);
  let rest = buffer;
  if (atFailedCap || buffer.length >= settings.capacity) {
    const among = atFailedCap ? failed : buffer;
    const evicted = among.length === 0 ? null : victim(among, entry.S, drawFor, newcomer);
    if (evicted === null) return buffer;
    rest = buffer.filter((other) => other !== evicted);
  }
  return [...rest, entry];
}

/**
 * The buffer after a group: staleness, then the start, then the children.
 *
 * An entry counts the uninformative groups that started from it since it came in (the one that brought a start
 * in is the first); a start that leaves for its second one stays out of this update.
 */
export function updateBuffer(
  buffer: Buffer,
  update: BufferUpdate,
  settings: BufferSettings,
  drawFor: DrawFor,
): Buffer {
  const present = buffer.find((entry) => same(entry, update.start));
  const dullGroups = update.informative ? 0 : (present?.dullGroups ?? 0) + 1;
  let next = buffer;
  let newcomer = 0;
  if (present && dullGroups >= 2 && !settings.paper) {
    next = next.filter((entry) => entry !== present);
  } else if (present) {
    const measured: BufferEntry = {
      ...present,
      S: update.S,
      policy: update.policy,
      dullGroups,
      timesDrawn: present.timesDrawn + (update.fromBuffer ? 1 : 0),
    };
    next = next.map((entry) => (entry === present ? measured : entry));
  } else if (update.start.quality === null || update.start.quality < 1) {
    const { quality: _, ...start } = update.start;
    const entry = {
      ...start,
      S: update.S,
      policy: update.policy,
      timesDrawn: update.fromBuffer ? 1 : 0,
      dullGroups,
      insertedAt: update.closedSeq,
    };
    next = insert(next, entry, settings, drawFor, newcomer++);
  }

  const eligible = update.children.filter(
    (child) => child.quality !== null && child.quality < 1 && !next.some((entry) => same(entry, child)),
  );
  for (const child of chosenChildren(eligible, settings.paper ? "one" : settings.insert, drawFor)) {
    const { quality: _, ...node } = child;
    const entry = {
      ...node,
      S: update.S,
      policy: update.policy,
      timesDrawn: 0,
      dullGroups: 0,
      insertedAt: update.closedSeq,
    };
    next = insert(next, entry, settings, drawFor, newcomer++);
  }
  return next;
}

/** What turned one buffer into the next. */
export function bufferChanges(before: Buffer, after: Buffer): BufferChanges {
  const stays = new Set(after.map((entry) => entry.node));
  const held = new Set(before);
  return {
    left: before.flatMap((entry) => (stays.has(entry.node) ? [] : [entry.node])),
    set: after.filter((entry) => !held.has(entry)),
  };
}

function chosenChildren(
  eligible: readonly Candidate[],
  rule: Settings["insert"],
  drawFor: DrawFor,
): readonly Candidate[] {
  if (rule === "all")
    return eligible.filter((child, index) => eligible.findIndex((other) => same(other, child)) === index);
  if (eligible.length < 2) return eligible;
  return eligible.slice(pickUniform(drawFor("insert"), eligible.length)).slice(0, 1);
}
