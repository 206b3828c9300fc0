/** What the use cases report, and what a run tells while it lasts: the shapes both ends of a wire share. */
import type { Confirmation } from "./confirmation.ts";
import type { Protocol } from "./evaluate/cell.ts";
import type { PolicyCurve } from "./evaluate/curves.ts";
import type { ExportFormat } from "./export/format.ts";
import type { Group, GroupOpening, Node, Run, SampledReply } from "./history.ts";
import type { Evidence, GroupClosing, Outcome, PolicyInfo, SandboxInfo, ScoreResult } from "./ports.ts";
import type { Gate } from "./tuning/gate.ts";
import type { StageEstimate, TrainerEvent } from "./tuning/ports.ts";
import type { InForce, Promotion } from "./tuning/promotions.ts";
import type { Bootstrap } from "./tuning/rounds.ts";
import type { TunedModel } from "./tuning/tuned-model.ts";
import type { Verdict } from "./verdict.ts";

/** One line of the audit of a task. */
export interface Finding {
  readonly level: "ok" | "warning" | "refused";
  /** What was tried, such as `root`, `empty-object`, `fake-score-line`. */
  readonly probe: string;
  readonly message: string;
}

export interface CheckReport {
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

export interface ConfirmReport {
  readonly confirmations: readonly Confirmation[];
  /** Tasks that were searched and have no revision better than their root. */
  readonly nothingBetter: readonly string[];
}

/** A node with what the tree shows beside it. */
export interface ListedNode extends Node {
  /** Iteration that made it; null for a root. */
  readonly iteration: number | null;
  readonly best: boolean;
  /** Scored by the evaluator its task has now; others are kept, and count for nothing. */
  readonly comparable: boolean;
}

/** What a run needs of this machine, with what is missing and how to mend it. */
export interface Readiness {
  readonly parts: readonly {
    readonly part: "task" | "engine" | "image" | "sandbox" | "model";
    readonly ok: boolean;
    /** What is there, or what is missing and its mend; of the sandbox, one guarantee each. */
    readonly message: string;
  }[];
}

/** The solution of a node as it was scored. */
export interface NodeSolution {
  readonly node: string;
  readonly files: readonly { readonly path: string; readonly base64: string }[];
}

export interface TaskStatus {
  readonly name: string;
  readonly file: string;
  /** Null if the task file cannot be used as it is. */
  readonly split: "train" | "heldout" | null;
  readonly nodes: number;
  readonly root: Node | null;
  readonly best: Node | null;
  /** The newest of its present root under the evaluator as it is now. */
  readonly confirmation: Confirmation | null;
  readonly selfReported: boolean;
  /** Null if the task file cannot be used as it is. */
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

export interface ExportReport {
  readonly folder: string;
  readonly format: ExportFormat;
  /** Groups. */
  readonly seen: number;
  readonly kept: number;
  /** Groups left out, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Of the groups that were kept. */
  readonly tasks: readonly string[];
  readonly policies: readonly string[];
  /** Lines or rows that were written. */
  readonly examples: number;
  /** Replies of the groups that were converted, and those in no example, by reason. */
  readonly replies: {
    readonly seen: number;
    readonly kept: number;
    readonly dropped: Readonly<Record<string, number>>;
  };
}

/** The version of a policy line that is in force. */
export interface PolicyInForce extends InForce {
  readonly line: string;
  /** The base, as its runtime calls it. */
  readonly base: string;
}

/** What there is of tuned models. */
export interface TrainingStatus {
  readonly models: readonly TunedModel[];
  readonly gates: readonly Gate[];
  readonly promotions: readonly Promotion[];
  readonly bootstraps: readonly Bootstrap[];
  /** One for each base that was trained. */
  readonly inForce: readonly PolicyInForce[];
  /** What is under way. */
  readonly job: TuningJob | null;
}

/** What a fine-tune would take. */
export interface TrainingEstimate {
  /** The base. */
  readonly model: string;
  /** Version the tuned model would be promoted as, if nothing is promoted before. */
  readonly version: number;
  /** Tuned model whose adapter it would go on from; null: a new adapter. */
  readonly parent: string | null;
  /** Iterations there are, those that can be trained on, and why others cannot. */
  readonly seen: number;
  readonly kept: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Most bytes of the tuned model. */
  readonly tunedBytes: number;
  /** Null where there is nothing to train on. */
  readonly stage: StageEstimate | null;
}

/** Long work with tuned models: goes on when its client is gone, one at a time. */
export type TuningJob = "fine-tune" | "gate" | "rounds";

/** How policies improve a solution step by step (EXIT.md section 4). */
export interface EvaluationReport {
  /** Steps of a chain. */
  readonly K: number;
  /** Chains of each policy from each start. */
  readonly n: number;
  readonly seed: number;
  /** Where chains begin: the roots of tasks, or held-out nodes of one. */
  readonly starts: readonly {
    readonly task: string;
    /** Null for a root. */
    readonly node: string | null;
    readonly verdict: Verdict;
    readonly quality: number;
  }[];
  /** The starts lie in a task that was trained on. */
  readonly sameTask: boolean;
  /** Tasks that could not be used, and why. */
  readonly leftOut: readonly { readonly task: string; readonly reason: string }[];
  readonly protocols: readonly {
    readonly protocol: Protocol;
    /** Starts that count: those from which every policy has a chain left. */
    readonly starts: number;
    readonly policies: readonly PolicyCurve[];
  }[];
  /** Steps made, and how many of them an earlier call had made. */
  readonly steps: { readonly made: number; readonly earlier: number };
  /** Scores asked for in these steps, and how many the score cache answered. */
  readonly scorings: { readonly asked: number; readonly cached: number };
  /** Milliseconds of this call. */
  readonly ms: number;
}

/** A recorded quantity that does not follow from the other records. */
export interface Difference {
  readonly group: string;
  /** Such as `start`, `reward of reply 3`, `buffer entry n7`. */
  readonly quantity: string;
  readonly recorded: unknown;
  readonly recomputed: unknown;
}

export interface ReplayReport {
  readonly run: string;
  readonly groups: number;
  /** Quantities that were recomputed and compared. */
  readonly decisions: number;
  readonly differences: readonly Difference[];
  /** Sentences: what could not be checked, since an older version did not record it. */
  readonly notChecked: readonly string[];
}

export type FreedKind =
  | "snapshots"
  | "staging"
  | "kept"
  | "outputs"
  | "logs"
  | "unfinished"
  | "exports"
  | "models"
  | "containers"
  | "volumes";

export interface Freed {
  readonly kind: FreedKind;
  readonly count: number;
  /** On the disk; null where it is not known. */
  readonly bytes: number | null;
}

export interface CleanReport {
  /** Nothing was removed: this is what would be. */
  readonly dryRun: boolean;
  readonly freed: readonly Freed[];
  /** Sentences: what was left alone, and why. */
  readonly notes: readonly string[];
}

/** A model that can be chosen for a run. */
export interface ModelChoice {
  readonly runtime: "ollama" | "embedded";
  readonly name: string;
  /** Size on disk. */
  readonly bytes: number;
  readonly quantisation: string | null;
  /** As the model says it, such as `1.5B`. */
  readonly parameters: string | null;
}

export interface ModelList {
  readonly models: readonly ModelChoice[];
  /** Sentences: why there may be more models than these. */
  readonly problems: readonly string[];
}

export type TuningOutcome =
  | { readonly job: "fine-tune"; readonly model: TunedModel }
  | { readonly job: "gate"; readonly gate: Gate }
  | { readonly job: "rounds"; readonly bootstrap: Bootstrap };

/** What a run, or work with tuned models, tells while it lasts. */
export type RunEvent =
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
  | { readonly type: "tuningStarted"; readonly job: TuningJob }
  /** What the trainer tells of a tuned model in the making. */
  | { readonly type: "trainer"; readonly model: string; readonly event: TrainerEvent }
  /** A tuned model, a gate, a promotion or a round is new or has changed. */
  | { readonly type: "tuningChanged" }
  | {
      readonly type: "tuningEnded";
      readonly job: TuningJob;
      /** What came of it; null where it failed or was stopped. */
      readonly outcome: TuningOutcome | null;
      readonly error: { readonly reason: string; readonly message: string } | null;
    }
  | {
      readonly type: "runEnded";
      readonly run: Run;
      readonly reason: "iterations" | "hours" | "tokens" | "target" | "informative" | "stopped" | "error";
      readonly error: { readonly reason: string; readonly message: string } | null;
    };
