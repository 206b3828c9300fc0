/** What the methods answer. The runner's compiler check keeps these the same as the use cases of `src/app`. */
import type { Group, Node, Run } from "../core/history.ts";
import type { Evidence, ScoreResult } from "../core/ports.ts";
import type { Verdict } from "../core/verdict.ts";

export { type Group, type Run, strategies } from "../core/history.ts";
export type { Evidence } from "../core/ports.ts";
export { isFailed, type Verdict } from "../core/verdict.ts";

/** One line of the audit of a task. */
export interface Finding {
  readonly level: "ok" | "warning" | "refused";
  readonly probe: string;
  readonly message: string;
}

interface CheckReport {
  readonly task: string;
  readonly passed: boolean;
  readonly findings: readonly Finding[];
}

export interface ScoreReport {
  readonly task: string;
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  /** The revision itself printed its score. */
  readonly selfReported: boolean;
  readonly feedback: string | null;
  readonly evidence: { readonly run: Evidence | null; readonly score: Evidence | null };
  readonly snapshot: string;
  readonly cached: boolean;
  readonly ms: number;
}

/** A node with what the tree shows beside it. */
export interface ListedNode extends Node {
  /** Iteration that made it; null for a root. */
  readonly iteration: number | null;
  readonly best: boolean;
}

export interface TaskStatus {
  readonly name: string;
  readonly file: string;
  readonly nodes: number;
  readonly root: Node | null;
  readonly best: Node | null;
  readonly selfReported: boolean;
  /** Where the task file can be read. */
  readonly metric: { readonly name: string; readonly direction: "maximize" | "minimize" } | null;
}

export interface Status {
  readonly workspace: string;
  readonly activeRun: Run | null;
  readonly runs: readonly Run[];
  readonly tasks: readonly TaskStatus[];
  readonly problems: readonly string[];
  readonly applied: { readonly node: string; readonly task: string; readonly at: string } | null;
}

export interface Shown {
  readonly node: ListedNode;
  /** The group that made it; null for a root. */
  readonly group: Group | null;
  readonly evidence: ScoreResult["evidence"] | null;
}

interface ExportReport {
  readonly folder: string;
  readonly seen: number;
  readonly kept: number;
  /** Groups left out, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface Results {
  init: { readonly file: string };
  check: CheckReport;
  score: ScoreReport;
  startRun: { readonly run: Run; readonly continued: boolean };
  stopRun: { readonly stopped: boolean };
  status: Status;
  tree: { readonly nodes: readonly ListedNode[] };
  show: Shown;
  showGroup: Group;
  diff: { readonly from: string; readonly to: string; readonly diff: string };
  apply: { readonly node: string; readonly paths: readonly string[]; readonly merged: boolean };
  revert: { readonly node: string; readonly paths: readonly string[] };
  export: ExportReport;
  buildImage: { readonly image: string; readonly digest: string };
}
