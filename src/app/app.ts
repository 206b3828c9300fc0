/**
 * The use cases of one workspace, as the runner serves them. `openApp` (compose.ts) builds one; whoever holds
 * it holds the workspace's lock.
 */
import type { Budget, Group, GroupOpening, Node, Run, SampledReply, Strategy } from "../core/history.ts";
import type { Evidence, GroupClosing, Outcome, PolicyInfo, SandboxInfo, ScoreResult } from "../core/ports.ts";
import type { Settings } from "../core/settings.ts";
import type { Verdict } from "../core/verdict.ts";

/** What a run tells while it lasts. */
export type AppEvent =
  | {
      readonly type: "runStarted";
      readonly run: Run;
      readonly continued: boolean;
      readonly policy: PolicyInfo;
      readonly sandbox: SandboxInfo;
    }
  | { readonly type: "groupOpened"; readonly opening: GroupOpening; readonly promptTokens: number }
  | {
      readonly type: "replySampled";
      readonly group: string;
      readonly reply: Pick<SampledReply, "index" | "finish" | "ms"> & { readonly tokens: number | null };
    }
  | {
      readonly type: "replyScored";
      readonly group: string;
      readonly index: number;
      readonly outcome: Pick<Outcome, "verdict" | "score" | "quality" | "snapshot" | "feedback">;
    }
  | {
      readonly type: "groupClosed";
      readonly group: string;
      readonly iteration: number;
      readonly closing: Pick<GroupClosing, "state" | "learnability" | "informative" | "nodes">;
      readonly best: Node | null;
      readonly spent: Run["spent"];
    }
  | { readonly type: "workspaceMoved"; readonly task: string; readonly paths: readonly string[] }
  | { readonly type: "message"; readonly level: "info" | "warn"; readonly text: string }
  | { readonly type: "progress"; readonly text: string }
  | {
      readonly type: "runEnded";
      readonly run: Run;
      readonly reason: "iterations" | "hours" | "tokens" | "target" | "stopped" | "error";
      readonly error: { readonly reason: string; readonly message: string } | null;
    };

export interface InitRequest {
  /** Path of the task file to write, relative to the workspace; default `exit.task.json`. */
  readonly file?: string;
  readonly name: string;
  readonly instruction: string;
  readonly files: readonly string[];
  readonly run: readonly string[];
  /** A score command with its hidden files, or a regular expression on what the run prints. */
  readonly score?: readonly string[];
  readonly hidden?: readonly string[];
  readonly fromRun?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly metric: {
    readonly name: string;
    readonly direction: "maximize" | "minimize";
    readonly worst: number;
    readonly best: number;
  };
  readonly image: string;
}

/** One line of the audit of a task (DESIGN.md section 4). */
export interface Finding {
  /** `ok`, `warning` or `refused`. */
  readonly level: "ok" | "warning" | "refused";
  /** What was tried, such as `root`, `empty-solution`, `fake-score-line`. */
  readonly probe: string;
  readonly message: string;
}

export interface ScoreReport {
  readonly task: string;
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly selfReported: boolean;
  readonly feedback: string | null;
  readonly evidence: { readonly run: Evidence | null; readonly score: Evidence | null };
  readonly snapshot: string;
  readonly cached: boolean;
  readonly ms: number;
}

export interface RunRequest {
  /** Names; empty: the only task of the workspace, or all train tasks with `all`. */
  readonly tasks: readonly string[];
  readonly all: boolean;
  readonly strategy: Strategy;
  readonly budget: Budget;
  readonly settings: Partial<Settings>;
  /** `embedded` so far; null: the default. */
  readonly runtime: string | null;
  /** A model name or the path of a GGUF file; null: the default. */
  readonly model: string | null;
  /** End an unfinished run of the same tasks and begin a new one. */
  readonly fresh: boolean;
  /** Seed of the run; null: drawn. */
  readonly seed: number | null;
}

/** A node as listed: with what the tree shows beside it. */
export interface ListedNode extends Node {
  /** Iteration that made it; null for a root. */
  readonly iteration: number | null;
  readonly best: boolean;
}

export interface Status {
  readonly workspace: string;
  readonly activeRun: Run | null;
  readonly runs: readonly Run[];
  readonly tasks: readonly {
    readonly name: string;
    readonly file: string;
    /** Null if the task file cannot be used as it is. */
    readonly metric: { readonly name: string; readonly direction: "maximize" | "minimize" } | null;
    readonly nodes: number;
    readonly root: Node | null;
    readonly best: Node | null;
    readonly selfReported: boolean;
  }[];
  readonly problems: readonly string[];
  readonly applied: { readonly node: string; readonly task: string; readonly at: string } | null;
}

export interface ExportRequest {
  /** Absolute folder. */
  readonly out: string;
  readonly task: string | null;
}

export interface ExportReport {
  readonly folder: string;
  readonly seen: number;
  readonly kept: number;
  /** Groups left out, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface App {
  init(request: InitRequest): Promise<{ readonly file: string }>;
  check(
    task: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly task: string; readonly passed: boolean; readonly findings: readonly Finding[] }>;
  score(
    request: { readonly task: string | null; readonly from: string | null },
    signal: AbortSignal,
  ): Promise<ScoreReport>;
  /** Starts a run and returns once it is under way; the rest comes as events. @throws ExitError `run-active`. */
  startRun(request: RunRequest): Promise<{ readonly run: Run; readonly continued: boolean }>;
  /** Asks the run to end; finished replies and scores are kept, the run stays unfinished. Returns when it has ended. */
  stopRun(): Promise<{ readonly stopped: boolean }>;
  status(): Promise<Status>;
  tree(task: string | null): Promise<{ readonly nodes: readonly ListedNode[] }>;
  /** A node (`best` names the best one) with the group that made it and the group members' texts. */
  show(
    node: string,
    task: string | null,
  ): Promise<{
    readonly node: ListedNode;
    readonly group: Group | null;
    readonly evidence: ScoreResult["evidence"] | null;
  }>;
  showGroup(group: string): Promise<Group>;
  /** Unified diff of a node against another, or against the root of its tree. */
  diff(
    node: string,
    against: string | null,
    task: string | null,
  ): Promise<{ readonly from: string; readonly to: string; readonly diff: string }>;
  apply(
    node: string,
    task: string | null,
  ): Promise<{ readonly node: string; readonly paths: readonly string[]; readonly merged: boolean }>;
  revert(): Promise<{ readonly node: string; readonly paths: readonly string[] }>;
  export(request: ExportRequest): Promise<ExportReport>;
  buildImage(
    task: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly image: string; readonly digest: string }>;
  /** True while a run lasts: the runner must not exit. */
  busy(): boolean;
  subscribe(listener: (event: AppEvent) => void): () => void;
  /** Stops what is under way and closes everything. */
  close(): Promise<void>;
}
