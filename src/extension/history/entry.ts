/** The rows of the history tree. */
import type { Board, WatchedGroup } from "../../client/board.ts";
import { plural, score, tally } from "../../client/words/format.ts";
import type { MetricNames } from "../../client/words/metric.ts";
import { isFailed, type ListedNode, type Verdict } from "../../protocol/results.ts";
import type { Row } from "../tree/row.ts";
import type { HistoryIndex } from "./history-index.ts";

/** What a row stands for. */
export type Entry =
  | { readonly kind: "node"; readonly id: string }
  /** An iteration under way: above the trees, where it is in sight whatever is closed. */
  | { readonly kind: "group"; readonly id: string }
  /** Stands for the children that are not shown yet. */
  | { readonly kind: "more"; readonly id: string; readonly parent: string };

export interface View {
  readonly history: HistoryIndex;
  readonly board: Board | null;
  readonly metrics: MetricNames;
  /** Tasks whose revisions print their own score. */
  readonly selfReported: ReadonlySet<string>;
  /** Node the working tree was given. */
  readonly applied: string | null;
  /** Children shown below a node; absent: the first page. */
  readonly shown: ReadonlyMap<string, number>;
}

/** Children of a node shown at once; the row at the end brings as many again. */
export const pageSize = 100;

export function childEntries(view: View, parent: Entry | null): readonly Entry[] {
  if (parent === null) return [...underWay(view.board), ...view.history.roots().map(asEntry)];
  if (parent.kind !== "node") return [];
  const children = view.history.children(parent.id);
  const shown = view.shown.get(parent.id) ?? pageSize;
  const rows = children.slice(0, shown).map(asEntry);
  const rest: Entry[] =
    children.length > shown ? [{ kind: "more", id: `more:${parent.id}`, parent: parent.id }] : [];
  return [...rows, ...rest];
}

/** The entry it is below, or null for a root and for what is gone. */
export function parentEntry(view: View, entry: Entry): Entry | null {
  if (entry.kind === "group") return null;
  const parent = entry.kind === "node" ? view.history.get(entry.id)?.parent : entry.parent;
  return parent == null ? null : { kind: "node", id: parent };
}

/** Null for what is gone since it was asked for. */
export function rowOf(view: View, entry: Entry): Row | null {
  if (entry.kind === "node") {
    const node = view.history.get(entry.id);
    return node === undefined ? null : node.parent === null ? rootRow(view, node) : nodeRow(view, node);
  }
  if (entry.kind === "group") {
    const group = view.board?.groups.get(entry.id);
    return group === undefined ? null : groupRow(group, (view.board?.run.tasks.length ?? 0) > 1);
  }
  return moreRow(view, entry.parent);
}

function asEntry(node: ListedNode): Entry {
  return { kind: "node", id: node.id };
}

function underWay(board: Board | null): readonly Entry[] {
  return [...(board?.groups.keys() ?? [])].map((id) => ({ kind: "group", id }));
}

function rootRow(view: View, node: ListedNode): Row {
  const best = view.history.best().find(({ task }) => task === node.task);
  const own = node.score === null ? verdictWords(node.verdict) : score(node.score);
  const beaten = node.comparable && best !== undefined && best.id !== node.id && best.score !== null;
  const facts = [beaten ? `${own} → best ${score(best.score)}` : own];
  const revisions = view.history.countRevisions(node.task);
  if (revisions > 0 && node.comparable) facts.push(plural(revisions, "revision"));
  if (!node.comparable) facts.push(notComparable);
  if (view.selfReported.has(node.task)) facts.push("self-reported");
  if (view.applied === node.id) facts.push("applied");
  const others = view.history.roots().filter(({ task }) => task === node.task).length > 1;
  const label = others ? `${node.task} (${node.id})` : node.task;
  return {
    id: node.id,
    label,
    description: facts.join(" · "),
    tooltip: tooltip(view, node, ["the solution as it was when the search began"]),
    spoken: `Task ${label}, ${facts.join(", ").replace("→", "to")}`,
    icon: { name: "repo", colour: null },
    flags: "root apply",
    open: openness(view, node, true),
  };
}

function nodeRow(view: View, node: ListedNode): Row {
  const best = view.history.isBest(node);
  const start = node.parent === null ? undefined : view.history.get(node.parent);
  const verdict = verdictWords(node.verdict);
  const label = node.score !== null && node.verdict === "scored" ? score(node.score) : verdict;
  const facts = [node.goal ?? "", ...standing(node, start)].filter((fact) => fact !== "");
  if (!node.comparable) facts.push(notComparable);
  const marks = [...(best ? ["★ best"] : []), ...(view.applied === node.id ? ["applied"] : []), ...facts];
  return {
    id: node.id,
    label,
    description: [...marks, node.id].join(" · "),
    tooltip: tooltip(view, node, marks),
    spoken: [
      `Revision ${node.id}`,
      label === verdict ? "" : "scored",
      label,
      ...marks.map((mark) => mark.replace("★ ", "")),
    ]
      .filter((word) => word !== "")
      .join(", "),
    icon: best ? { name: "star-full", colour: "charts.yellow" } : iconOf(node, start),
    flags: node.snapshot === null ? "prompt" : "diff prompt apply",
    open: openness(view, node, false),
  };
}

/** The task was edited since: its score says nothing beside those made now. */
const notComparable = "not comparable";

/** How a revision compares with its start. */
function standing(node: ListedNode, start: ListedNode | undefined): string[] {
  if (node.snapshot !== null && node.snapshot === start?.snapshot) return ["unchanged"];
  if (node.verdict !== "scored" || start?.quality == null || node.quality === null) return [];
  if (node.quality > start.quality) return ["better"];
  return node.quality < start.quality ? ["worse"] : ["no better"];
}

function iconOf(node: ListedNode, start: ListedNode | undefined): Row["icon"] {
  if (isFailed(node.verdict))
    return { name: node.verdict === "invalid" ? "circle-slash" : "error", colour: "charts.red" };
  if (node.verdict === "quarantine") return { name: "shield", colour: "charts.orange" };
  if (node.verdict !== "scored") return { name: "question", colour: null };
  const better = (node.quality ?? 0) > (start?.quality ?? 0);
  return better ? { name: "arrow-up", colour: "charts.green" } : { name: "circle-outline", colour: null };
}

const words: Partial<Record<Verdict, string>> = {
  oom: "out of memory",
  timeout: "time limit",
  output_limit: "output limit",
  disk_limit: "disk limit",
  infra: "sandbox trouble",
  eval_error: "evaluator broken",
};

function verdictWords(verdict: Verdict | null): string {
  return verdict === null ? "not scored yet" : (words[verdict] ?? verdict);
}

/** Markdown. */
function tooltip(view: View, node: ListedNode, marks: readonly string[]): string {
  const value = node.score === null ? "" : `: ${view.metrics.scored(node.task, node.score)}`;
  const lines = [`**${node.id}** ${verdictWords(node.verdict)}${value}`, marks.join(", ")];
  const from = node.iteration === null ? [] : [`iteration ${node.iteration + 1}`];
  if (node.parent !== null) from.push(`from ${node.parent}`, `depth ${node.depth}`);
  if (from.length > 0) lines.push(from.join(", "));
  if (node.policy !== null) lines.push(`policy \`${node.policy.replaceAll("`", "'")}\``);
  return lines.filter((line) => line !== "").join("\n\n");
}

function openness({ history, applied }: View, node: ListedNode, isRoot: boolean): Row["open"] {
  // The editor heeds this only when a row is new: a root that began as a leaf would stay closed ever after.
  if (isRoot) return "expanded";
  if (history.countChildren(node.id) === 0) return "leaf";
  const leadsTo = [...history.best(), ...(applied === null ? [] : [history.get(applied)])];
  const onPath = leadsTo.some(
    (end) => end !== undefined && history.ancestors(end).some(({ id }) => id === node.id),
  );
  return onPath ? "expanded" : "collapsed";
}

/** @param several the run has several tasks, so the row names its own */
function groupRow({ opening, sampled, verdicts }: WatchedGroup, several: boolean): Row {
  const size = opening.seeds.length;
  const done = `${sampled.size} of ${plural(size, "reply", "replies")}, ${verdicts.size} scored`;
  const what = several ? `${opening.task}, ${opening.goal}` : opening.goal;
  const label = `iteration ${opening.iteration + 1}: ${what}`;
  const seen = tally([...verdicts.values()]);
  return {
    id: `group:${opening.id}`,
    label,
    description: `${done} · from ${opening.start}`,
    tooltip: [`**${label}** from ${opening.start}`, done, ...(seen === "" ? [] : [seen])].join("\n\n"),
    spoken: `Under way: ${label} from ${opening.start}, ${done}`,
    icon: { name: "loading~spin", colour: null },
    flags: "group",
    open: "leaf",
  };
}

function moreRow({ history, shown }: View, parent: string): Row {
  const rest = history.countChildren(parent) - (shown.get(parent) ?? pageSize);
  const label = `${plural(rest, "more revision")}`;
  return {
    id: `more:${parent}`,
    label,
    description: "",
    tooltip: `Show ${Math.min(rest, pageSize)} more`,
    spoken: `${label}; activate to show them`,
    icon: { name: "ellipsis", colour: null },
    flags: "more",
    open: "leaf",
  };
}
