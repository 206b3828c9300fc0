/** Bootstrap: rounds of collecting, training and proving, one after the other (EXIT.md section 7). */
import type { GuaranteeName } from "../guarantees.ts";
import type { Settings } from "../settings.ts";
import type { Gate } from "./gate.ts";
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
  /** What it was cut off by; null: nothing, or its runner was killed. */
  readonly interruption: string | null;
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

/**
 * Why no further round is begun; null: one is.
 *
 * @param gates those of its rounds, at least
 */
export function endOf({ settings, rounds, spentMs }: Bootstrap, gates: readonly Gate[]): string | null {
  const last = gates.find(({ id }) => id === rounds.at(-1)?.gate);
  // The next one would end the same, hours later.
  if (last?.decision === "untested") return last.reason;
  if (settings.rounds !== null && rounds.length >= settings.rounds)
    return `All ${settings.rounds} rounds are done.`;
  if (rounds.length >= patience && rounds.slice(-patience).every(({ promoted }) => !promoted))
    return "Two rounds in a row brought no better model.";
  const left = leftOf({ settings, spentMs });
  if (left <= 0) return "The time is over.";
  // In less a round could hardly collect what it needs, and its training and gate do not get shorter.
  if (rounds.length > 0 && left < spentMs / rounds.length / 2)
    return "The time is over: less is left than half of what a round took.";
  return null;
}

/** Milliseconds of its budget. */
export function leftOf({ settings, spentMs }: Pick<Bootstrap, "settings" | "spentMs">): number {
  return settings.hours * 3_600_000 - spentMs;
}

/** Fewer informative iterations than this are too few to learn from. */
export function leastGroups(settings: Pick<BootstrapSettings, "groups">): number {
  return Math.ceil(settings.groups / 4);
}
