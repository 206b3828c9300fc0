/**
 * The doors of the engine: what it needs from the world, as plain interfaces. `src/adapters` has one room per
 * port; tests have others. Every long call takes an AbortSignal and rejects with its reason when aborted.
 */
import type { Confirmation } from "./confirmation.ts";
import type { Cell, EvaluationStep, StepOutcome, StepPlace } from "./evaluate/cell.ts";
import type { Guarantee, SelfTest } from "./guarantees.ts";
import type {
  BufferChanges,
  BufferEntry,
  Edit,
  EmbeddingSource,
  Group,
  GroupOpening,
  Message,
  Node,
  Prompt,
  RootInForce,
  Run,
  SampledReply,
} from "./history.ts";
import type { TaskDefinition } from "./task.ts";
import type { TuningRecords } from "./tuning/ports.ts";
import type { Verdict } from "./verdict.ts";

// --- files -----------------------------------------------------------------------------------------------

/** One regular file of a solution. Paths are relative to the workspace, with `/`. */
export interface SolutionFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

/** A solution: its files sorted by path. */
export type Solution = readonly SolutionFile[];

/** Hexadecimal SHA-256 of a text (UTF-8) or of bytes. */
export type Sha256 = (data: string | Uint8Array) => string;

/**
 * Data staged once for sandboxes: a folder that holds copies of `files` at their workspace paths, readable by
 * any user and never changed afterwards.
 */
export interface StagedData {
  /** Changes with any path or byte. */
  readonly digest: string;
  /** Absolute. */
  readonly folder: string;
  /** Sorted. */
  readonly files: readonly string[];
}

/** A task file with its file sets resolved against the workspace. */
export interface ResolvedTask {
  /** The task's name. */
  readonly id: string;
  /** Path of the task file. */
  readonly file: string;
  readonly definition: TaskDefinition;
  /** JSON Schema of a json solution. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  /** May a revision contain this path? */
  isSolutionPath(path: string): boolean;
  /** May this path be collected as an output? Never one of inputs, hidden or solution. */
  isOutputPath(path: string): boolean;
  /** Files of the `context` set, already cut to their `head`. */
  readonly context: readonly { readonly path: string; readonly text: string }[];
  readonly inputs: StagedData;
  /** The files only the evaluator sees. */
  readonly hidden: StagedData;
  /** SHA-256 over everything the score of a revision depends on but the revision: commands, limits, hidden, inputs. */
  readonly evaluatorDigest: string;
}

/** The user's workspace folder. Reads it; writes only what `write` and `remove` say. */
export interface Workspace {
  readonly folder: string;
  /** Reads and checks the task files found in the workspace. Errors of single files do not hide the others. */
  tasks(): Promise<{
    readonly tasks: readonly { readonly name: string; readonly file: string }[];
    readonly problems: readonly string[];
  }>;
  /** @throws ExitError `task-invalid`, `task-unknown` with file, line and column. */
  resolve(task: string): Promise<ResolvedTask>;
  /** The task with its replacing files at the paths they replace; null if it has no holdout. */
  holdout(task: ResolvedTask): Promise<ResolvedTask | null>;
  /** The solution as it stands now. */
  solution(task: ResolvedTask): Promise<Solution>;
  /** The solution files found in another folder, at the same relative paths. */
  solutionIn(folder: string, task: ResolvedTask): Promise<Solution>;
  /** Makes the solution files of the task equal `solution`, each file replaced atomically; nothing else is touched. */
  write(task: ResolvedTask, solution: Solution): Promise<void>;
}

// --- snapshots -------------------------------------------------------------------------------------------

/** The shadow repository: solutions by content. */
export interface Snapshots {
  /**
   * Stores a solution as a commit whose parent is `parent`'s commit, and returns its content id (a tree id).
   * Storing the same content twice gives the same id.
   */
  save(solution: Solution, parent: string | null): Promise<string>;
  /** @throws ExitError `snapshot-missing`. */
  read(snapshot: string): Promise<Solution>;
  /** Unified diff of two snapshots, empty when equal. */
  diff(from: string, to: string): Promise<string>;
  /** Three-way merge per file; `conflicts` names the files that need a hand. */
  merge(
    base: string,
    ours: Solution,
    theirs: string,
  ): Promise<{ readonly merged: Solution; readonly conflicts: readonly string[] }>;
  /** Removes all snapshots but those in `keep`, or with `dryRun` only counts them. Not while anything is saved. */
  prune(keep: ReadonlySet<string>, dryRun?: "dryRun"): Promise<Pruned>;
}

export interface Pruned {
  readonly snapshots: number;
  /** What they alone took on the disk. */
  readonly bytes: number;
}

// --- the model -------------------------------------------------------------------------------------------

export interface PolicyInfo {
  /** `ollama`, `openai` or `embedded`. */
  readonly runtime: string;
  readonly model: string;
  /** Absolute path of the model's file, where that is how a run names it. */
  readonly file?: string;
  /** Digest of the weights. */
  readonly digest: string;
  /** Digest of the chat template. */
  readonly templateDigest: string;
  readonly quantisation: string | null;
  /** Tokens a prompt and its reply may take together, per sequence. */
  readonly contextLength: number;
  /** Replies sampled at once. */
  readonly parallel: number;
  /** Licence the model file names, if it does. */
  readonly license: string | null;
  /** Share of the model on a GPU, 0 to 1; null where the runtime does not say. */
  readonly gpuShare: number | null;
  /** Sentences the user should see. */
  readonly warnings: readonly string[];
  /**
   * The weights that answer, where they are not the model's own but tuned from them; then `model` and `digest` are
   * those of the base. Absent: the model itself.
   */
  readonly tuned?: {
    /** Tuned model (core/tuning/tuned-model.ts). */
    readonly id: string;
    /** Version it was promoted as; null: not promoted, so no run may sample from it. */
    readonly version: number | null;
  };
}

export interface SampleOptions {
  readonly maxTokens: number;
  /** Constrain replies to this JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>> | null;
}

export interface Policy {
  describe(signal?: AbortSignal): Promise<PolicyInfo>;
  /** Renders with the model's own chat template and counts: `tokens` of the prompt. Never cuts. */
  plan(
    messages: readonly Message[],
    signal?: AbortSignal,
  ): Promise<{ readonly rendered: string; readonly tokens: number }>;
  /**
   * Samples one reply per member at training options (temperature 1, no top-k, top-p, min-p or penalties), each
   * with its own seed, and yields each as it ends. A reply lost to the runtime is yielded with finish `lost`.
   * @throws ExitError `context-overflow` instead of cutting a prompt.
   */
  sample(
    prompt: Prompt,
    members: readonly { readonly index: number; readonly seed: number }[],
    options: SampleOptions,
    signal: AbortSignal,
  ): AsyncIterable<SampledReply>;
  /**
   * Embeddings of texts by a model of the same server; absent where the runtime has none. Never cuts a text.
   * @throws ExitError `embedding-too-long`, `model-missing`, `model-unsuitable` and those of the server.
   */
  embed?(model: string, texts: readonly string[], signal: AbortSignal): Promise<Embeddings>;
  /** Gives back the memory of the weights until the next call that needs them; absent where that cannot be had. */
  unload?(): Promise<void>;
  close(): Promise<void>;
}

export interface Embeddings {
  /** Digest of the embedding model's weights. */
  readonly digest: string;
  /** One for each text, all of one length. */
  readonly vectors: readonly (readonly number[])[];
}

// --- the sandbox -----------------------------------------------------------------------------------------

/** What happened, for people and for the record: exit code, signals, recorded causes, limits, log tails. */
export interface Evidence {
  readonly exitCode: number | null;
  /** The cause we recorded before acting: `deadline`, `output`, `disk`, `user`; null if the command ended by itself. */
  readonly killedFor: "deadline" | "output" | "disk" | "user" | null;
  readonly oomKilled: boolean;
  /** Head and tail of what the command printed, control characters stripped. */
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** One sentence. */
  readonly note: string;
}

export interface SandboxInfo {
  /** Endpoint used, for people. */
  readonly engine: string;
  readonly version: string;
  /** `runc`, `runsc`, ... and whether rootless. */
  readonly boundary: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly warnings: readonly string[];
}

/** Files a run left that match `outputs`, kept in a folder of ours. */
export interface Outputs {
  readonly folder: string;
  readonly files: readonly string[];
}

export interface RunRequest {
  /** Unique name of this trial: the idempotency key of its containers and journal rows. */
  readonly key: string;
  /** Id of the run, for the label; null outside one. */
  readonly run: string | null;
  readonly task: ResolvedTask;
  readonly solution: Solution;
  readonly seed: number;
  readonly split: "search" | "holdout";
  /** Ids of the GPUs leased for it; absent: as many as the task names, from the first. */
  readonly gpus?: readonly string[];
}

export type RunOutcome =
  | { readonly kind: "finished"; readonly outputs: Outputs; readonly evidence: Evidence }
  /** Verdict of rules 1 to 5 of the table in research/sandbox.md 4g; `quarantine` where the canary came out. */
  | { readonly kind: "failed"; readonly verdict: Verdict; readonly evidence: Evidence };

export type EvaluateOutcome =
  /** The score command ended well; `line` is what it printed, at most 64 KiB. */
  | { readonly kind: "printed"; readonly stdout: string; readonly evidence: Evidence }
  | { readonly kind: "broke"; readonly evidence: Evidence }
  /** It printed the canary that lies beside the hidden files: nothing of what it printed may reach a model. */
  | { readonly kind: "leaked"; readonly evidence: Evidence }
  | { readonly kind: "infra"; readonly evidence: Evidence };

export interface Sandbox {
  /** @throws ExitError `docker-unreachable`, `docker-denied`, `image-missing`. */
  describe(task: ResolvedTask, signal?: AbortSignal): Promise<SandboxInfo>;
  /**
   * Finds out by trying what the sandbox enforces with the task's image; takes some seconds.
   * @throws ExitError as `describe`; the engine's error if it stops answering.
   */
  selfTest(task: ResolvedTask, signal: AbortSignal): Promise<readonly Guarantee[]>;
  /**
   * Runs a revision in a fresh container, or goes on with the one an earlier process had started for it, and collects
   * its outputs from the stopped container.
   * @throws ExitError `docker-unreachable` when the engine has gone away: that is no outcome of a trial.
   */
  run(request: RunRequest, signal: AbortSignal): Promise<RunOutcome>;
  /** Runs the score command in a fresh container that no revision process ever saw. @throws as `run`. */
  evaluate(
    request: Omit<RunRequest, "solution">,
    outputs: Outputs,
    signal: AbortSignal,
  ): Promise<EvaluateOutcome>;
  /** What the engine has, whoever uses it now. @throws ExitError `docker-unreachable`, `docker-denied`. */
  resources(): Promise<EngineResources>;
  /**
   * Called once, before the first trial, with the workspace lock held. Of what earlier processes of this workspace
   * left, revisions that were started are kept: `run`, asked for the same trial with exactly the same request, takes
   * them over instead of beginning anew. Everything else of them is removed; what nobody asks for later.
   */
  recover(): Promise<{ readonly kept: number; readonly containers: number; readonly volumes: number }>;
  /**
   * Removes everything this workspace has in the engine, or with `dryRun` only counts it; called with the workspace
   * lock held and nothing under way.
   */
  reap(dryRun?: "dryRun"): Promise<{ readonly containers: number; readonly volumes: number }>;
  close(): Promise<void>;
}

/** Bytes that can still be written to the file system of a folder; null where that cannot be told. */
export type FreeBytes = (folder: string) => Promise<number | null>;

// --- what several runners share --------------------------------------------------------------------------

export interface Capacity {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Ids as the engine takes them. */
  readonly gpus: readonly string[];
}

export interface EngineResources extends Capacity {
  /** Folder of this machine where the engine keeps its data; null if it is elsewhere. */
  readonly dataFolder: string | null;
}

export interface Need {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** How many. */
  readonly gpus: number;
}

export type LeasePurpose = "revision" | "model" | "trainer";

export interface Lease {
  /** Ids of the GPUs, nobody else's until the release. */
  readonly gpus: readonly string[];
  /** May be called again. */
  release(): void;
}

/** Shares out what the machine has among all runners on it. */
export interface Arbiter {
  /**
   * Waits until there is room: earlier asked, earlier served. What a process holds is free when it ends, however.
   * @throws ExitError `sandbox-too-large` instead of waiting without end; `leases-unwritable`, `disk-full`.
   */
  lease(need: Need, purpose: LeasePurpose, signal: AbortSignal): Promise<Lease>;
}

export interface JournalStep {
  readonly step: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where the sandbox writes down each step before and after it is taken (research/sandbox.md 4h). */
export interface Journal {
  record(key: string, step: string, data: Readonly<Record<string, unknown>>): void;
  /** The steps of one trial in the order they were recorded; one taken again stands where it was taken last. */
  steps(key: string): readonly JournalStep[];
}

// --- scoring ---------------------------------------------------------------------------------------------

/** What the engine gets back for a solution. */
export interface ScoreResult {
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number | null;
  readonly qualitySE: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  /** For the next prompt: error trace or the evaluator's reason, without any score. */
  readonly feedback: string | null;
  readonly evidence: { readonly run: Evidence | null; readonly score: Evidence | null };
  /** True if an earlier identical scoring was reused. */
  readonly cached: boolean;
  readonly ms: number;
}

export interface ScoreRequest {
  /** Names the trial: unique among all trials of the workspace. */
  readonly key: string;
  readonly run: string | null;
  readonly task: ResolvedTask;
  readonly snapshot: string;
  readonly solution: Solution;
  /** The solution is a root: its outputs serve to tell a broken evaluator from broken outputs. */
  readonly isRoot: boolean;
  /** `EXIT_SEED` of the run; absent: those of the search, as many as the task repeats. */
  readonly seed?: number;
  /** Absent: `search`. For `holdout` the task is the one `Workspace.holdout` gives. */
  readonly split?: RunRequest["split"];
}

export interface Scorer {
  /** Waits until the machine has room for it. @throws EvaluatorBroken when the score command itself is at fault. */
  score(request: ScoreRequest, signal: AbortSignal): Promise<ScoreResult>;
}

// --- the store -------------------------------------------------------------------------------------------

/** The changes one closed group makes, committed in one transaction. */
export interface GroupClosing {
  readonly group: string;
  readonly state: "closed" | "infra";
  readonly closedSeq: number;
  readonly learnability: number | null;
  readonly informative: boolean;
  readonly draws: Readonly<Record<string, number>>;
  readonly nodes: readonly Node[];
  readonly replies: readonly {
    readonly index: number;
    readonly node: string | null;
    readonly reward: number | null;
    readonly advantage: number | null;
    readonly diversity: number | null;
    readonly distance: number | null;
  }[];
  /** What the distances were measured with; null: no diversity bonus. */
  readonly embedding: EmbeddingSource | null;
  /** The whole buffer after this group. */
  readonly buffer: readonly BufferEntry[];
  readonly bufferChanges: BufferChanges;
  /** What its run has spent with this group. */
  readonly spent: Run["spent"];
}

/** A closed group as decisions need it: without texts. */
export interface ClosedGroup extends GroupOpening {
  readonly state: "closed" | "infra";
  readonly closedSeq: number;
  readonly learnability: number | null;
  readonly informative: boolean;
  /** Of the children, in the order of their index. */
  readonly children: readonly {
    readonly index: number;
    readonly node: string | null;
    readonly quality: number | null;
  }[];
  /** Draws recorded at closing. */
  readonly closingDraws: Readonly<Record<string, number>>;
  readonly embedding: EmbeddingSource | null;
  /** Null: closed by a version that did not record them. */
  readonly bufferChanges: BufferChanges | null;
}

/** The outcome of one reply once it is realised and scored. */
export interface Outcome {
  readonly answer: string | null;
  readonly edit: Edit;
  readonly snapshot: string | null;
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number | null;
  readonly qualitySE: number | null;
  readonly feedback: string | null;
  readonly evidence: ScoreResult["evidence"] | null;
}

/** A scoring that can be reused: unique by `key`. */
export interface StoredScore extends Omit<ScoreResult, "cached"> {
  /** SHA-256 over task, solution tree, evaluator, data and seed list. */
  readonly key: string;
  /** Digest of the self-test it was made under (`SelfTest.digest`); null where none had been made. */
  readonly selfTest: string | null;
}

/** The history in durable storage. Calls are synchronous and durable when they return; all are idempotent. */
export interface Store {
  openRun(run: Run): void;
  runs(): readonly Run[];
  updateRun(
    id: string,
    change: Pick<Run, "spent"> & Partial<Pick<Run, "endedAt" | "endedBy" | "provenance">>,
  ): void;

  /**
   * Stores a root if it is new, and brings it into force if another one is. With another evaluator the task's
   * entries leave the buffer.
   */
  addRoot(node: Node): void;
  /** By `seq`. */
  rootsInForce(): readonly RootInForce[];
  /** All nodes in the order they were made. */
  nodes(): readonly Node[];

  openGroup(opening: GroupOpening, prompt: Prompt, sampling: SampleOptions): void;
  addReply(group: string, reply: SampledReply): void;
  /** The first outcome of a reply stays, unless it was an `eval_error`. */
  addOutcome(group: string, index: number, outcome: Outcome): void;
  closeGroup(closing: GroupClosing): void;
  /** In the order of `closedSeq`. */
  closedGroups(): readonly ClosedGroup[];
  /** Groups of the run that are not closed, by iteration, with the replies and outcomes stored so far. */
  openGroups(run: string): readonly { readonly group: Group; readonly sampling: SampleOptions }[];
  /** A whole group with prompt and replies. */
  group(id: string): Group | null;
  /** Ids of all groups, by iteration order of opening. */
  groupIds(): readonly string[];
  /** What the sandbox saw of one reply. */
  evidence(group: string, index: number): ScoreResult["evidence"] | null;
  buffer(): readonly BufferEntry[];

  score(key: string): StoredScore | null;
  putScore(score: StoredScore): void;

  /** The revision the working tree was last given, until it is taken back. */
  applied(): Applied | null;
  setApplied(applied: Applied | null): void;
  /** Evaluator digests that passed the audit, so that it is made once. */
  auditPassed(task: string, evaluatorDigest: string): boolean;
  setAuditPassed(task: string, evaluatorDigest: string): void;
  /** The newest self-test of an engine with an image. */
  selfTest(key: string): SelfTest | null;
  putSelfTest(key: string, selfTest: SelfTest): void;
  /** The newest of a task. */
  confirmation(task: string): Confirmation | null;
  putConfirmation(confirmation: Confirmation): void;

  readonly journal: Journal;
  readonly evaluations: EvaluationRecords;
  readonly tuning: TuningRecords;
  close(): void;
}

/** Evaluations, apart from the history: durable and idempotent like everything of the store. */
export interface EvaluationRecords {
  openCell(cell: Cell): void;
  /** All steps of a cell, by chain, k and attempt. */
  steps(cell: string): readonly EvaluationStep[];
  /** Stores a step without its outcome. */
  addReply(cell: string, step: EvaluationStep): void;
  addOutcome(cell: string, place: StepPlace, outcome: StepOutcome): void;
  /** The snapshots that chains may go on from. */
  snapshots(): readonly string[];
}

/** A revision written into the working tree, with the solution before and after, as snapshots. */
export interface Applied {
  readonly node: string;
  readonly task: string;
  /** ISO 8601. */
  readonly at: string;
  readonly before: string;
  readonly after: string;
}

/** Reports progress as it happens; must not throw. */
export interface Observer {
  groupOpened?(opening: GroupOpening, promptTokens: number): void;
  replySampled?(group: string, reply: SampledReply): void;
  replyScored?(group: string, index: number, outcome: Outcome): void;
  groupClosed?(closing: GroupClosing, opening: GroupOpening): void;
  message?(level: "info" | "warn", text: string): void;
}

export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number;
  /** ISO 8601 of the wall clock. */
  now(): string;
}
