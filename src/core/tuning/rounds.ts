/** Bootstrap: rounds of collecting, training and proving, one after the other (EXIT.md section 7). */
import type { GuaranteeName } from "../guarantees.ts";
import type { Settings } from "../settings.ts";
import type { TrainingSettings } from "./tuned-model.ts";

/** What a round does, in this order; each is stored as it begins, so that a killed round goes on with it. */
export const steps = ["collect", "fine-tune", "gate", "done"] as const;
export type RoundStep = (typeof steps)[number];

export interface Round {
  /** From 1. */
  readonly number: number;
  readonly step: RoundStep;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Run it collects with; null before it is opened. */
  readonly run: string | null;
  /** Informative iterations it collected. */
  readonly informative: number;
  /** Tuned model; null before it is begun. */
  readonly model: string | null;
  readonly gate: string | null;
  readonly promoted: boolean;
}

export interface Bootstrap {
  /** `b1`, `b2`, ... */
  readonly id: string;
  readonly settings: BootstrapSettings;
  /** Base it trains, as a run names it. */
  readonly model: {
    readonly runtime: string | null;
    readonly model: string | null;
    readonly endpoint: string | null;
  };
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** A sentence; null while it is unfinished. */
  readonly ended: string | null;
  /** Milliseconds it has worked, over all sessions. */
  readonly spentMs: number;
  readonly rounds: readonly Round[];
}

export interface BootstrapSettings {
  /** Budget of all rounds. */
  readonly hours: number;
  /** At most; null: as many as the budget has room for. */
  readonly rounds: number | null;
  /** Informative iterations a round collects. */
  readonly groups: number;
  /** Hours a round may collect; null: half of what is left of the budget. */
  readonly collectHours: number | null;
  /** What its runs set other than by default. */
  readonly search: Partial<Settings>;
  /** Chains of the gate, and of its second look. */
  readonly chains: readonly [first: number, second: number];
  /** Steps of a chain. */
  readonly K: number;
  readonly seed: number;
  /** Guarantees of the sandbox the user agrees to do without. */
  readonly allowMissing: readonly GuaranteeName[];
  readonly training: TrainingSettings;
}

export const defaultRounds = { hours: 8, groups: 48 } as const;

/** Rounds in a row without a promotion that end a bootstrap. */
const patience = 2;

/** Why no further round is begun; null: one is. */
export function endOf({ settings, rounds, spentMs }: Bootstrap): string | null {
  if (settings.rounds !== null && rounds.length >= settings.rounds)
    return `All ${settings.rounds} rounds are done.`;
  if (rounds.length >= patience && rounds.slice(-patience).every(({ promoted }) => !promoted))
    return "Two rounds in a row brought no better model.";
  if (spentMs >= settings.hours * 3_600_000) return "The time is over.";
  return null;
}

/** Fewer informative iterations than this are too few to learn from. */
export function leastGroups(settings: Pick<BootstrapSettings, "groups">): number {
  return Math.ceil(settings.groups / 4);
}
