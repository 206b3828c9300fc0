/** The gate: is the tuned model better than the one in force, and no worse than the base (EXIT.md section 7)? */
import type { Estimate } from "../evaluate/statistics.ts";
import type { EvaluationReport } from "../reports.ts";

export type Decision = "promote" | "keep" | "reject" | "untested";

/** A difference of mean qualities with its one-sided bounds of 97.5 %. */
export type Bounds = Pick<Estimate, "mean" | "low" | "high">;

export interface Gate {
  /** `g1`, `g2`, ... */
  readonly id: string;
  /** Tuned model. */
  readonly model: string;
  /** Tuned model it was compared with; null: the base was in force. */
  readonly against: string | null;
  /** ISO 8601. */
  readonly at: string;
  readonly decision: Decision;
  /** A sentence. */
  readonly reason: string;
  /** Tuned minus the one in force; null where nothing was evaluated. */
  readonly overCurrent: Bounds | null;
  /** Tuned minus the base. */
  readonly overBase: Bounds | null;
  /** The starts lie in a task that was trained on. */
  readonly sameTask: boolean;
  /** Chains, bounds and curves behind it; null where nothing was evaluated. */
  readonly evaluation: EvaluationReport | null;
}

/** Chains from each start and of the second look, and steps of a chain. */
export const defaultGate = { chains: [16, 64], K: 4, seed: 0 } as const;

/** Quality by which a tuned model may be worse than the base it came from. */
const allowedLoss = 0.02;

export type Judgement =
  | { readonly decision: Exclude<Decision, "untested">; readonly reason: string }
  /** The interval holds 0: more chains may tell. */
  | { readonly decision: "more" };

/** @param isLast no more chains are to be had */
export function judge(overCurrent: Bounds, overBase: Bounds, isLast: boolean): Judgement {
  if (overCurrent.high < 0)
    return { decision: "reject", reason: `It is worse than the model in force: ${inWords(overCurrent)}.` };
  const better = overCurrent.low > 0;
  const safe = overBase.low > -allowedLoss;
  if (better && safe)
    return { decision: "promote", reason: `It is better than the model in force: ${inWords(overCurrent)}.` };
  if (!isLast) return { decision: "more" };
  return {
    decision: "keep",
    reason: better
      ? `It is better than the model in force, but it may be more than ${allowedLoss} worse than the base: ${inWords(overBase)}.`
      : `It cannot be told from the model in force: ${inWords(overCurrent)}. The data is kept; more iterations may tell.`,
  };
}

function inWords({ mean, low, high }: Bounds): string {
  return `quality ${signed(mean)}, between ${signed(low)} and ${signed(high)}`;
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}
