/**
 * The history: nodes (partial histories), groups (iterations) and their replies, with the names they have on
 * the wire, in the store and in exports (DESIGN.md section 3, EXIT.md section 1). Plain data, no behaviour.
 */
import type { GuaranteeName, SelfTest } from "./guarantees.ts";
import type { PolicyInfo, SandboxInfo } from "./ports.ts";
import type { Settings } from "./settings.ts";
import type { Verdict } from "./verdict.ts";

export const goals = ["solve", "improve", "diverge", "debug"] as const;
export type Goal = (typeof goals)[number];

export const strategies = ["grpo", "curriculum", "improve", "diverge", "exit", "greedy", "balanced"] as const;
export type Strategy = (typeof strategies)[number];
/** What one iteration follows: `balanced` resolves to one of the others. */
export type IterationStrategy = Exclude<Strategy, "balanced">;

/** A partial history in the tree. */
export interface Node {
  readonly id: string;
  /** Name of the task instance. */
  readonly task: string;
  /** Null for a root. */
  readonly parent: string | null;
  /** Self-iteration steps from the root. */
  readonly depth: number;
  /** The goal of the step that made it; null for a root. */
  readonly goal: Goal | null;
  readonly verdict: Verdict | null;
  /** Raw score in the task's own metric. */
  readonly score: number | null;
  /** In [0, 1]. */
  readonly quality: number | null;
  /** Standard error of the quality from repeats; null where unknown. */
  readonly qualitySE: number | null;
  /** Content id of the solution files: equal for equal content, whatever the parent. */
  readonly snapshot: string | null;
  /** The group that made it; null for a root. */
  readonly group: string | null;
  /** Policy version that wrote it; null for a root. */
  readonly policy: string | null;
  /** In a subtree held out from training from birth (EXIT.md section 5). */
  readonly heldOut: boolean;
  /** What the next prompt may tell about the verdict: the error trace or the evaluator's reason, never a score. */
  readonly feedback: string | null;
  /**
   * `evaluatorDigest` of the task it was scored by; a root and everything below it have the same one. Null: made by
   * a version that did not record it. Scores of different evaluators are not comparable.
   */
  readonly evaluator: string | null;
}

/** From here on the task is scored by the evaluator of this root, and starts from the task space begin at it. */
export interface RootInForce {
  /** Place in the workspace's order of these, from 1. */
  readonly seq: number;
  readonly task: string;
  /** Node id. */
  readonly node: string;
  /** The newest `closedSeq` when it came into force; 0 before the first closed group. */
  readonly after: number;
}

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The one prompt a group shares. `rendered` is the exact string the model evaluated. */
export interface Prompt {
  readonly messages: readonly Message[];
  readonly rendered: string;
}

export interface Token {
  /** Null where the runtime gives only texts. */
  readonly id: number | null;
  readonly text: string;
}

/** Why sampling ended: the end token, the length limit, our own abort for repetition, or a lost connection. */
export const finishes = ["stop", "length", "repetition", "lost"] as const;
export type Finish = (typeof finishes)[number];

/** How a reply became an edit. */
export interface Edit {
  readonly kind: "file" | "blocks" | "json" | "unchanged" | "none";
  /** Rungs of the repair ladder that were needed, in order; empty for a clean reply. */
  readonly repairs: readonly string[];
  /** Why no edit could be read (kind none). */
  readonly problem: string | null;
  /** Paths changed, added or removed against the start. */
  readonly paths: readonly string[];
}

/** A reply as the policy gave it, before anything was made of it. */
export interface SampledReply {
  /** Place in the group, 0-based. */
  readonly index: number;
  readonly seed: number;
  readonly text: string;
  /** Without the end token; null where the runtime gives none. */
  readonly tokens: readonly Token[] | null;
  /** Natural logarithms, of the bare model at temperature 1; as many as `tokens`. */
  readonly logprobs: readonly number[] | null;
  readonly finish: Finish;
  /** Digest of the schema that constrained the sampler, else null. */
  readonly constrained: string | null;
  /** Milliseconds from request to last token. */
  readonly ms: number;
}

/** A member of a group with everything that became of it. Null fields are not known (yet). */
export interface Reply extends SampledReply {
  /** The part of `text` that was edited in. */
  readonly answer: string | null;
  readonly edit: Edit | null;
  readonly snapshot: string | null;
  readonly verdict: Verdict | null;
  readonly score: number | null;
  readonly quality: number | null;
  readonly qualitySE: number | null;
  readonly feedback: string | null;
  readonly node: string | null;
  readonly reward: number | null;
  readonly advantage: number | null;
  readonly diversity: number | null;
  /** Of its solution's embedding from the group's centroid; null without a diversity bonus or a solution. */
  readonly distance: number | null;
}

/** Recorded random draws in [0, 1), by purpose; what was not needed is absent. */
export type Draws = Readonly<Record<string, number>>;

/** What the diversity factors of a group were measured with. */
export interface EmbeddingSource {
  /** Null: the built-in lexical embedding. */
  readonly model: string | null;
  /** Digest of the model's weights; null for the built-in one. */
  readonly digest: string | null;
}

/** How rewards of the group are computed. */
export interface RewardSetting {
  readonly rule: "relative" | "absolute";
  readonly lambda: number;
}

/** One iteration: everything fixed when it is opened. */
export interface GroupOpening {
  readonly id: string;
  readonly run: string;
  /** 0-based within the run. */
  readonly iteration: number;
  /** 0, or 1 for the one repetition after too few replies came back. */
  readonly attempt: number;
  readonly task: string;
  /** Node id. */
  readonly start: string;
  /** True if the start came from the buffer. */
  readonly fromBuffer: boolean;
  readonly goal: Goal;
  readonly strategy: IterationStrategy;
  readonly policy: string;
  readonly startQuality: number | null;
  readonly startSnapshot: string | null;
  readonly startSE: number | null;
  readonly reward: RewardSetting;
  readonly draws: Draws;
  /** One per member. */
  readonly seeds: readonly number[];
  /**
   * Closed groups of other runs the decision could see: those with `closedSeq <= basis`. Of its own run it saw
   * the iterations up to `iteration - pipeline depth`.
   */
  readonly basis: number;
  /** The decision saw the roots in force up to this `seq`. */
  readonly roots: number;
  /** `evaluatorDigest` that scores its members; null: opened by a version that did not record it. */
  readonly evaluator: string | null;
}

/** A group, open or closed. */
export interface Group extends GroupOpening {
  readonly prompt: Prompt;
  /** `open`, `closed`, or `infra`: fewer than two members came back, or its evaluator is no longer in force. */
  readonly state: "open" | "closed" | "infra";
  /** Place in the workspace's order of closed groups, from 1; null while open. */
  readonly closedSeq: number | null;
  readonly learnability: number | null;
  readonly informative: boolean | null;
  readonly replies: readonly Reply[];
}

/** An entry of the buffer `B`. */
export interface BufferEntry {
  readonly task: string;
  /** The oldest node of the task with this snapshot. */
  readonly node: string;
  /** Null: the bare request. */
  readonly snapshot: string | null;
  readonly failed: boolean;
  /** Learnability. */
  readonly S: number;
  readonly policy: string;
  readonly timesDrawn: number;
  /** Groups in a row that started here and were not informative. */
  readonly dullGroups: number;
  /** `closedSeq` of the group that inserted it: the age that breaks ties. */
  readonly insertedAt: number;
}

/** What a closed group changed in the buffer: entries that left, then entries as they are now, new ones at the end. */
export interface BufferChanges {
  /** Node ids. */
  readonly left: readonly string[];
  readonly set: readonly BufferEntry[];
}

/** Ends of a run; whichever is reached first. */
export interface Budget {
  readonly iterations: number | null;
  readonly hours: number | null;
  readonly tokens: number | null;
  /** In the raw metric of the tasks; reached when every task of the run has a revision that reaches it. */
  readonly target: number | null;
  /** Informative iterations (EXIT.md section 5), as a round collects them; absent: as many as come. */
  readonly informative?: number;
}

export interface Provenance {
  readonly policy: PolicyInfo;
  readonly sandbox: SandboxInfo;
  /** What the sandbox was found to enforce, for each image of the run. */
  readonly selfTests: readonly SelfTest[];
  /** The guarantees the user agreed to do without. */
  readonly allowedMissing: readonly GuaranteeName[];
}

export interface Run {
  readonly id: string;
  readonly seed: number;
  readonly tasks: readonly string[];
  readonly strategy: Strategy;
  readonly settings: Settings;
  readonly budget: Budget;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** `iterations`, `hours`, `tokens`, `target`, `informative` or `replaced`; null while unfinished. */
  readonly endedBy: string | null;
  /** What it was begun with: the model and its licence, the engine and the image by digest. */
  readonly provenance: Provenance | null;
  /** Spent so far, over all sessions of the run. */
  readonly spent: {
    readonly iterations: number;
    readonly ms: number;
    readonly tokens: number;
    /** Milliseconds in which at least one reply was being sampled, and one revision scored (busy.ts). */
    readonly modelMs: number;
    readonly sandboxMs: number;
    /** Revisions that were scored, and how many of their scores were known from an identical one. */
    readonly scored: number;
    readonly reused: number;
  };
}

/** What a run has spent when it begins. */
export const nothingSpent: Run["spent"] = {
  ...{ iterations: 0, ms: 0, tokens: 0 },
  ...{ modelMs: 0, sandboxMs: 0, scored: 0, reused: 0 },
};
