/** Which groups are exported (EXIT.md section 5), and what a user may narrow that down to. */
import type { Goal, Node, Run } from "../history.ts";
import { versionsBehind } from "../policy-version.ts";
import type { ClosedGroup, Sha256 } from "../ports.ts";

/** What the user asks for on top of the rules; a null, an empty list or false asks for nothing. */
export interface ExportFilter {
  readonly goals: readonly Goal[];
  /** Least quality, in [0, 1], of a reply to imitate. */
  readonly minQuality: number | null;
  /** A reply to imitate must be better than its start by more than the noise of the start's score. */
  readonly improving: boolean;
  /** Most groups of a task; the newest are kept, since they are nearest to the model as it is now. */
  readonly perTask: number | null;
}

export const noFilter: ExportFilter = { goals: [], minQuality: null, improving: false, perTask: null };

/** Is a reply of this quality one to imitate? Without a start quality (a bare request) it must be above 0 to improve. */
export function isWanted(
  quality: number | null,
  { startQuality, startSE }: Pick<ClosedGroup, "startQuality" | "startSE">,
  { minQuality, improving }: ExportFilter,
): boolean {
  if (minQuality === null && !improving) return true;
  if (quality === null || (minQuality !== null && quality < minQuality)) return false;
  return !improving || quality - (startQuality ?? 0) > 2 * (startSE ?? 0);
}

export type DropReason =
  | "held-out task"
  | "held-out start"
  | "too few members"
  | "not informative"
  | "other model or prompt template"
  | "older policy"
  | "duplicate"
  | "another goal"
  | "no reply passes the filter"
  | "over the limit of its task"
  /** Set once it was converted. */
  | "gives no example";

export interface ExportView {
  readonly groups: readonly ClosedGroup[];
  readonly runs: readonly Run[];
  readonly nodes: readonly Node[];
  /** Names of the tasks whose split is `heldout`. */
  readonly heldOutTasks: ReadonlySet<string>;
  /** With one task only, the subtrees held out from birth stay out. */
  readonly oneTask: boolean;
  /** Version the groups are measured against; null: that of the newest group. */
  readonly policy: string | null;
  /** Prompt and reply texts of a group, for the duplicate check. */
  readonly textsOf: (group: ClosedGroup) => readonly string[];
  readonly sha256: Sha256;
  readonly filter: ExportFilter;
}

/** Sorts the closed groups into those to export and those dropped, each with its reason. */
export function selectGroups(view: ExportView): {
  kept: readonly ClosedGroup[];
  dropped: ReadonlyMap<DropReason, number>;
} {
  const kept: ClosedGroup[] = [];
  const dropped = new Map<DropReason, number>();
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const settings = new Map(view.runs.map((run) => [run.id, run.settings]));
  const current = view.policy ?? view.groups.at(-1)?.policy ?? "";
  const seen = new Set<string>();
  for (const group of view.groups) {
    const reason = reasonToDrop(group) ?? reasonOfFilter(group);
    if (reason === null) kept.push(group);
    else count(dropped, reason);
  }
  const newest = view.filter.perTask === null ? kept : newestOfEachTask(kept, view.filter.perTask);
  if (newest.length < kept.length) count(dropped, "over the limit of its task", kept.length - newest.length);
  return { kept: newest, dropped };

  function reasonToDrop(group: ClosedGroup): DropReason | null {
    if (view.heldOutTasks.has(group.task)) return "held-out task";
    if (view.oneTask && nodes.get(group.start)?.heldOut) return "held-out start";
    if (group.learnability === null) return "too few members";
    const behind = versionsBehind(current, group.policy);
    if (behind === Number.POSITIVE_INFINITY) return "other model or prompt template";
    if (behind > (settings.get(group.run)?.maxPolicyAge ?? 0)) return "older policy";
    if (!group.informative) return "not informative";
    const [prompt, ...replies] = view.textsOf(group);
    const identity = view.sha256(JSON.stringify([prompt, ...replies.sort()]));
    if (seen.has(identity)) return "duplicate";
    seen.add(identity);
    return null;
  }
  function reasonOfFilter(group: ClosedGroup): DropReason | null {
    const { goals } = view.filter;
    if (goals.length > 0 && !goals.includes(group.goal)) return "another goal";
    const wanted = group.children.some(({ quality }) => isWanted(quality, group, view.filter));
    return wanted ? null : "no reply passes the filter";
  }
}

function newestOfEachTask(groups: readonly ClosedGroup[], limit: number): readonly ClosedGroup[] {
  const taken = new Map<string, number>();
  const newestFirst = [...groups].reverse().filter(({ task }) => count(taken, task) <= limit);
  return newestFirst.reverse();
}

/** Adds to a tally. @returns the new count */
export function count<K>(tally: Map<K, number>, key: K, more = 1): number {
  const now = (tally.get(key) ?? 0) + more;
  tally.set(key, now);
  return now;
}
