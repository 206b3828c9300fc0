/**
 * What an evaluation keeps (EXIT.md section 4), apart from tree, buffer and export. A cell is the chains of one
 * policy from one start under one protocol; its id is a digest of all that its steps hang on, and a step's seed
 * hangs on cell, chain and step alone. So the same call goes on where it was cut off, and one with more chains or
 * more steps adds to what is there.
 */
import type { Edit, Finish, Goal } from "../history.ts";
import type { SampleOptions, Sha256 } from "../ports.ts";
import { drawSeed } from "../rng.ts";
import { isFailed, type Verdict } from "../verdict.ts";

/** Where the next step of a chain starts: from the latest iterate, or from the best so far. */
export const protocols = ["chain", "greedy"] as const;
export type Protocol = (typeof protocols)[number];

/** Everything the steps of a cell hang on. */
export interface CellFacts {
  /** Name of the policy version. */
  readonly policy: string;
  readonly task: string;
  /** The snapshot at k = 0. */
  readonly start: string;
  readonly protocol: Protocol;
  /** Seed of every draw. */
  readonly seed: number;
  /** What the scores hang on beside the solution: evaluator and image, by digest. */
  readonly evaluatorDigest: string;
  readonly image: string;
  /** Digest of the first step's prompt: instruction, context files, template. */
  readonly prompt: string;
  readonly sampling: SampleOptions;
}

export interface Cell extends CellFacts {
  readonly id: string;
}

export function cellOf(facts: CellFacts, sha256: Sha256): Cell {
  const { policy, task, start, protocol, seed, evaluatorDigest, image, prompt, sampling } = facts;
  const { maxTokens, schema } = sampling;
  const whole = [policy, task, start, protocol, seed, evaluatorDigest, image, prompt, maxTokens, schema];
  return { ...facts, id: `e${sha256(JSON.stringify(whole)).slice(0, 16)}` };
}

/** Which step: `attempt` is 1 for the one repetition of a step without a quality. */
export interface StepPlace {
  /** 0-based. */
  readonly chain: number;
  /** From 1: k = 0 is the start. */
  readonly k: number;
  readonly attempt: 0 | 1;
}

/** Names a step among all trials of the workspace. */
export function stepKey(cell: Cell, { chain, k, attempt }: StepPlace): string {
  return `${cell.id}-${chain}-${k}${attempt === 0 ? "" : "b"}`;
}

/** The seed of a step's reply. Policies draw independently of each other, as the intervals assume. */
export function stepSeed(cell: Cell, { chain, k, attempt }: StepPlace): number {
  return drawSeed(cell.seed, k, `${cell.id} reply${attempt}`, chain);
}

/** What became of a step. */
export interface StepOutcome {
  readonly edit: Edit;
  readonly snapshot: string | null;
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number | null;
  readonly qualitySE: number | null;
  readonly feedback: string | null;
  /** Answered by the score cache; null: nothing was scored. */
  readonly cached: boolean | null;
}

/** A step as it is stored once its reply is there. */
export interface EvaluationStep extends StepPlace {
  /** The snapshot it started from. */
  readonly start: string;
  readonly goal: Goal;
  /** Digest of the prompt. */
  readonly prompt: string;
  readonly seed: number;
  readonly text: string;
  readonly finish: Finish;
  readonly constrained: string | null;
  /** Length of the reply; null where the runtime does not say. */
  readonly tokens: number | null;
  /** Milliseconds from request to last token, the wait for other replies included. */
  readonly ms: number;
  /** Null until it is scored. */
  readonly outcome: StepOutcome | null;
}

/** A solution with what is known of it: what a step starts from. */
export interface Iterate {
  readonly snapshot: string;
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly quality: number;
  readonly qualitySE: number | null;
  readonly feedback: string | null;
}

/** The goal of a step (EXIT.md section 4). */
export function goalFrom(start: {
  readonly snapshot: string | null;
  readonly verdict: Verdict | null;
}): Goal {
  if (start.snapshot === null) return "solve";
  return isFailed(start.verdict) ? "debug" : "improve";
}
