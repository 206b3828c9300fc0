/**
 * The use cases of one workspace, as the runner serves them. `openApp` (compose.ts) builds one; whoever holds
 * it holds the workspace's lock.
 */
import type { Protocol } from "../core/evaluate/cell.ts";
import type { ExportFormat } from "../core/export/format.ts";
import type { ExportFilter } from "../core/export/select.ts";
import type { GuaranteeName } from "../core/guarantees.ts";
import type { Budget, Group, Run, Strategy } from "../core/history.ts";
import type {
  CheckReport,
  CleanReport,
  ConfirmReport,
  EvaluationReport,
  ExportReport,
  ListedNode,
  ModelList,
  NodeSolution,
  PolicyInForce,
  Readiness,
  ReplayReport,
  RunEvent,
  ScoreReport,
  Shown,
  Status,
  TrainingEstimate,
  TrainingStatus,
  TuningJob,
} from "../core/reports.ts";
import type { Settings } from "../core/settings.ts";
import type { BootstrapSettings } from "../core/tuning/rounds.ts";
import type { TrainingSettings } from "../core/tuning/tuned-model.ts";

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

/** What a run samples from. */
export interface ModelRequest {
  /** `ollama` or `embedded`; null: the one that has the model. */
  readonly runtime: string | null;
  /** A model name or the path of a GGUF file; null: the only model there is. */
  readonly model: string | null;
  /** Address of the Ollama server; null: `OLLAMA_HOST` of the environment, or this machine. */
  readonly endpoint: string | null;
}

export interface DoctorRequest extends ModelRequest {
  /** Also try what the sandbox enforces, which takes some seconds. */
  readonly selfTest?: boolean;
}

export interface RunRequest extends ModelRequest {
  /** Names; empty: the only task of the workspace, or all train tasks with `all`. */
  readonly tasks: readonly string[];
  readonly all: boolean;
  readonly strategy: Strategy;
  readonly budget: Budget;
  readonly settings: Partial<Settings>;
  /** End an unfinished run of the same tasks and begin a new one. */
  readonly fresh: boolean;
  /** Guarantees of the sandbox the user agrees to do without. */
  readonly allowMissing: readonly GuaranteeName[];
  /** Seed of the run; null: drawn. */
  readonly seed: number | null;
}

export interface EvaluateRequest {
  /** The first is the one the others are compared with. */
  readonly policies: readonly ModelRequest[];
  /** Names; empty: every held-out task, or where there is none the only task of the workspace. */
  readonly tasks: readonly string[];
  /** Begin at the held-out nodes of the task's tree instead of its root (EXIT.md section 5). */
  readonly heldOutStarts: boolean;
  /** Most starts; null: all. */
  readonly limit: number | null;
  /** Steps of a chain. */
  readonly K: number;
  /** Chains of each policy from each start. */
  readonly n: number;
  readonly protocols: readonly Protocol[];
  readonly seed: number;
  readonly maxReplyTokens: number;
  /** Guarantees of the sandbox the user agrees to do without. */
  readonly allowMissing: readonly GuaranteeName[];
}

export interface ExportRequest {
  /** Absolute folder. */
  readonly out: string;
  readonly task: string | null;
  /** Policy version the groups are measured against; absent: that of the newest group. */
  readonly policy?: string;
  /** Default: native. */
  readonly format?: ExportFormat;
  readonly filter?: Partial<ExportFilter>;
}

export interface FineTuneRequest extends ModelRequest {
  readonly training: Partial<TrainingSettings>;
}

export interface GateRequest {
  /** Tuned model; null: the newest that is finished. */
  readonly model: string | null;
  /** Chains from each start, and of the second look where these leave it open. */
  readonly chains: readonly [first: number, second: number];
  /** Steps of a chain. */
  readonly K: number;
  readonly seed: number;
  /** Null: that of the newest run. */
  readonly maxReplyTokens: number | null;
}

export interface PromoteRequest {
  readonly model: string;
  /** Although it has passed no gate. */
  readonly ungated: boolean;
}

export interface RollbackRequest {
  /** Tuned model in force; null: the one that was promoted last. */
  readonly model: string | null;
}

export interface RoundsRequest extends ModelRequest {
  readonly settings: BootstrapSettings;
  /** Begin a new one instead of going on with the unfinished one. */
  readonly fresh: boolean;
}

export type TuningRequest =
  | ({ readonly job: "fine-tune" } & FineTuneRequest)
  | ({ readonly job: "gate" } & GateRequest)
  | ({ readonly job: "rounds" } & RoundsRequest);

export interface App {
  init(request: InitRequest): Promise<{ readonly file: string }>;
  check(task: string | null, signal: AbortSignal): Promise<CheckReport>;
  score(
    request: { readonly task: string | null; readonly from: string | null },
    signal: AbortSignal,
  ): Promise<ScoreReport>;
  /** Scores the best revisions of a task, or of every task, and its root on fresh seeds; what is known is not scored again. */
  confirm(task: string | null, signal: AbortSignal): Promise<ConfirmReport>;
  /** Starts a run and returns once it is under way; the rest comes as events. @throws ExitError `run-active`. */
  startRun(request: RunRequest): Promise<{ readonly run: Run; readonly continued: boolean }>;
  /**
   * Asks the run, or the work with tuned models, to end; what is finished is kept, and the same request goes on from
   * there. Returns when it has ended.
   */
  stopRun(): Promise<{ readonly stopped: boolean }>;
  /** Goes on where an earlier call of the same arguments ended. @throws ExitError `run-active`, `evaluation-active`. */
  evaluate(request: EvaluateRequest, signal: AbortSignal): Promise<EvaluationReport>;
  status(): Promise<Status>;
  /** Is everything there that a run needs? Starts nothing; with `selfTest` only what tries the sandbox anew. */
  doctor(request: DoctorRequest, signal: AbortSignal): Promise<Readiness>;
  tree(task: string | null): Promise<{ readonly nodes: readonly ListedNode[] }>;
  /** A node (`best` names the best one) with the group that made it and the group members' texts. */
  show(node: string, task: string | null): Promise<Shown>;
  showGroup(group: string): Promise<Group>;
  /** The files of a node. @throws ExitError `no-snapshot`. */
  solution(node: string, task: string | null): Promise<NodeSolution>;
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
  /** Recomputes every decision of a run from its records. @throws ExitError `run-unknown`. */
  replay(run: string): Promise<ReplayReport>;
  export(request: ExportRequest): Promise<ExportReport>;
  training(): Promise<TrainingStatus>;
  /** What a fine-tune would take; keeps nothing. @throws ExitError `run-active`, `tuning-active`. */
  estimateTraining(request: FineTuneRequest, signal: AbortSignal): Promise<TrainingEstimate>;
  /** Begins the work and returns; the rest comes as events. @throws ExitError `run-active`, `tuning-active`. */
  startTuning(request: TuningRequest): Promise<{ readonly job: TuningJob }>;
  /** @throws ExitError `model-unknown`, `not-gated`, `model-in-force`. */
  promote(request: PromoteRequest, signal: AbortSignal): Promise<PolicyInForce>;
  /** Back to the version before the one in force. @throws ExitError `model-unknown`, `nothing-to-roll-back`. */
  rollback(request: RollbackRequest, signal: AbortSignal): Promise<PolicyInForce>;
  /** Removes what nothing needs. @throws ExitError `run-active`, `workspace-busy`. */
  clean(request: { readonly dryRun: boolean; readonly exports: boolean }): Promise<CleanReport>;
  /** The models a run may name. Of an endpoint that is not allowed there are none. */
  models(endpoint: string | null, signal: AbortSignal): Promise<ModelList>;
  /** Keeps the user's consent to send prompts to an endpoint on another machine; null: that of the environment. */
  allowEndpoint(endpoint: string | null): Promise<Readonly<Record<string, never>>>;
  /** @param folder absolute; null: in the cache folder */
  installRuntime(
    folder: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly folder: string; readonly version: string }>;
  buildImage(
    task: string | null,
    signal: AbortSignal,
  ): Promise<{ readonly image: string; readonly digest: string }>;
  /** True while a run or work with tuned models lasts: the runner must not exit. */
  busy(): boolean;
  subscribe(listener: (event: RunEvent) => void): () => void;
  /** Stops what is under way and closes everything. */
  close(): Promise<void>;
}
