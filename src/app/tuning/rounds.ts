/**
 * Rounds, unattended (EXIT.md section 7): collect with the version in force, train, prove, go on. Every step is stored
 * as it begins and every one of them goes on where it was cut off, so the same call continues after any interruption.
 */
import { ExitError, isExitError, messageOf } from "../../core/errors.ts";
import type { Run } from "../../core/history.ts";
import type { Gate } from "../../core/tuning/gate.ts";
import {
  type Bootstrap,
  type BootstrapSettings,
  endOf,
  leastGroups,
  leftOf,
  type Round,
} from "../../core/tuning/rounds.ts";
import type { TunedModel } from "../../core/tuning/tuned-model.ts";
import type { FineTuneRequest, GateRequest, PromoteRequest, RoundsRequest, RunRequest } from "../app.ts";
import type { TuningParts } from "./parts.ts";
import { readModelName } from "./policy-in-force.ts";

/** What a round is made of. */
export interface RoundsParts extends Pick<TuningParts, "store" | "clock" | "emit"> {
  /** Starts a run, or goes on with it; tells which it is, and resolves when it has ended. */
  readonly runToItsEnd: (
    request: RunRequest,
    opened: (run: Run) => void,
    signal: AbortSignal,
  ) => Promise<Run>;
  /** Makes a tuned model, or goes on with the unfinished one; tells which it is. */
  readonly fineTune: (
    request: FineTuneRequest,
    begun: (model: TunedModel) => void,
    signal: AbortSignal,
  ) => Promise<TunedModel>;
  /** Tests a tuned model, and promotes it if it passes. */
  readonly passGate: (request: GateRequest, signal: AbortSignal) => Promise<Gate>;
  readonly promote: (request: PromoteRequest, signal: AbortSignal) => Promise<unknown>;
  /** Rejects with the signal's reason when aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** @throws ExitError where every round would end in vain, as its tuned model could not be installed or proven. */
  readonly refuseHopeless: (request: RoundsRequest, signal: AbortSignal) => Promise<void>;
}

const hour = 3_600_000;
const minute = 60_000;
/** Milliseconds before what broke off is gone on with, for the first time, the second, ...; then it is given up. */
const waits = [minute / 2, minute, 2 * minute, 4 * minute, 8 * minute];
/** What may pass by itself. */
const passing: ReadonlySet<string> = new Set(["ollama-unreachable", "ollama-failed", "docker-unreachable"]);
/** A run needs some time to find out that it has none. */
const leastHours = 1 / 60;

/**
 * @throws ExitError `nothing-held-out`, `adapter-refused`, `too-few-groups` where nothing can be learned in the first
 * round, and whatever a step ends with.
 */
export async function bootstrap(
  request: RoundsRequest,
  parts: RoundsParts,
  signal: AbortSignal,
): Promise<Bootstrap> {
  const { store, clock, emit } = parts;
  const { bootstraps, putBootstrap } = store.tuning;
  const unfinished = request.fresh ? undefined : bootstraps().findLast((one) => one.endedAt === null);
  if (unfinished === undefined) await parts.refuseHopeless(request, signal);
  else {
    const text = `Going on with ${unfinished.id}, under the settings it was begun with; --fresh begins a new one.`;
    emit({ type: "message", level: "info", text });
  }
  let state = unfinished === undefined ? newBootstrap(request, parts) : { ...unfinished, interruption: null };
  let outages = 0;
  const spentBefore = state.spentMs;
  const began = clock.monotonic();
  const keep = (change: Partial<Bootstrap>): void => {
    state = { ...state, ...change, spentMs: spentBefore + clock.monotonic() - began };
    // Before its first run there is nothing to go on with, and what keeps it from one may be what was asked for.
    if (state.rounds.every(({ run }) => run === null)) return;
    for (const one of bootstraps())
      if (one.endedAt === null && one.id !== state.id)
        putBootstrap({ ...one, endedAt: clock.now(), ended: "Another one was begun." });
    putBootstrap(state);
    emit({ type: "tuningChanged" });
  };
  const keepRound = (round: Round): void =>
    keep({ rounds: [...state.rounds.filter(({ number }) => number !== round.number), round] });
  /** The one that was found where none was named: the next round must not find another. */
  const keepModel = ({ provenance }: Run): void => {
    if (provenance === null) return;
    const { runtime, model, file } = provenance.policy;
    keep({ model: { ...state.model, runtime, model: file ?? model } });
  };
  try {
    for (;;) {
      const last = state.rounds.at(-1);
      const open = last !== undefined && last.step !== "done" ? last : null;
      const end = open === null ? endOf(state, store.tuning.gates()) : null;
      if (end !== null) {
        keep({ endedAt: clock.now(), ended: end });
        return state;
      }
      const round = open ?? newRound(state, parts);
      keepRound(round);
      const { step } = round;
      try {
        await playRound(round, () => state, parts, { keepRound, keepModel }, signal);
      } catch (error) {
        keep({});
        if (state.rounds.at(-1)?.step !== step) outages = 0;
        const wait = isWorthWaiting(error, state) ? waits[outages++] : undefined;
        if (wait === undefined || signal.aborted) throw error;
        const text = `${messageOf(error)} The rounds go on from there in ${wait / 1000} s.`;
        emit({ type: "message", level: "warn", text });
        await parts.pause(wait, signal);
      }
    }
  } catch (error) {
    const tooFew = isExitError(error, "too-few-groups");
    const cutOff = { interruption: signal.aborted ? null : messageOf(error) };
    keep(tooFew ? { endedAt: clock.now(), ended: messageOf(error) } : cutOff);
    // What earlier rounds reached stands.
    if (tooFew && state.rounds.length > 1) return state;
    throw error;
  }
}

/** A server or an engine that went away in the middle of a night, for an update or out of memory, comes back. */
function isWorthWaiting(error: unknown, state: Bootstrap): boolean {
  const hasBegun = state.rounds.some(({ run }) => run !== null);
  return hasBegun && leftOf(state) > 0 && isExitError(error) && passing.has(error.reason);
}

function newBootstrap(
  { settings, runtime, model, endpoint }: RoundsRequest,
  { store, clock }: Pick<RoundsParts, "store" | "clock">,
): Bootstrap {
  return {
    id: `b${store.tuning.bootstraps().length + 1}`,
    settings,
    // Without a version: each round collects with the one in force then.
    model: { runtime, endpoint, model: readModelName(model).name },
    startedAt: clock.now(),
    ...{ endedAt: null, ended: null, interruption: null, spentMs: 0, rounds: [] },
  };
}

function newRound({ rounds }: Bootstrap, { clock }: Pick<TuningParts, "clock">): Round {
  return {
    number: rounds.length + 1,
    step: "collect",
    startedAt: clock.now(),
    ...{ endedAt: null, run: null, informative: 0, model: null, gate: null, promoted: false },
  };
}

async function playRound(
  begun: Round,
  current: () => Bootstrap,
  parts: RoundsParts,
  { keepRound, keepModel }: { keepRound: (round: Round) => void; keepModel: (run: Run) => void },
  signal: AbortSignal,
): Promise<void> {
  let round = begun;
  const { settings } = current();
  const now = (change: Partial<Round>): void => {
    round = { ...round, ...change };
    keepRound(round);
  };
  const say = (what: string): void =>
    parts.emit({ type: "message", level: "info", text: `Round ${round.number}: ${what}` });
  if (round.step === "collect") {
    say(`collecting ${settings.groups} informative iterations`);
    const opened = (run: Run): void => {
      now({ run: run.id });
      keepModel(run);
    };
    const run = await collect(round, current(), parts, opened, signal);
    const informative = informativeOf(run, parts);
    if (informative < leastGroups(settings))
      throw new ExitError(
        "too-few-groups",
        `Round ${round.number} found ${informative} informative iterations, fewer than a quarter of ${settings.groups}: too few to learn from. Give it more time, more replies a group (--group-size), or tasks on which the model's replies differ more.`,
      );
    now({ step: "fine-tune", informative });
  }
  if (round.step === "fine-tune") {
    // Killed between the end of the training and the note of it.
    if (!isFinished(round, parts)) {
      say("training");
      const request = { ...current().model, training: settings.training };
      await parts.fineTune(request, ({ id }) => now({ model: id }), signal);
    }
    now({ step: "gate" });
  }
  const { gates, promotions } = parts.store.tuning;
  // By its gate, or by the user meanwhile.
  const isPromoted = (): boolean =>
    promotions().some((one) => one.kind === "promoted" && one.model === round.model);
  const decided = gates().findLast((gate) => gate.model === round.model) ?? null;
  const gate = decided ?? (isPromoted() ? null : await prove(round, settings, parts, say, signal));
  // Killed between the decision and the promotion.
  if (gate?.decision === "promote" && !isPromoted())
    await parts.promote({ model: gate.model, ungated: false }, signal);
  const promoted = isPromoted();
  say(`${promoted ? "promoted" : "not promoted"}. ${gate?.reason ?? ""}`.trim());
  now({ step: "done", gate: gate?.id ?? null, promoted, endedAt: parts.clock.now() });
}

async function collect(
  round: Round,
  { settings, model, spentMs }: Bootstrap,
  parts: RoundsParts,
  opened: (run: Run) => void,
  signal: AbortSignal,
): Promise<Run> {
  const own = parts.store.runs().find(({ id }) => id === round.run);
  if (own?.endedAt != null) return own;
  const left = leftOf({ settings, spentMs }) / hour;
  const hours = Math.min(settings.collectHours ?? left / 2, left);
  return parts.runToItsEnd(
    {
      ...model,
      ...{ tasks: [], all: true, strategy: "exit", allowMissing: settings.allowMissing },
      budget: {
        ...{ iterations: null, tokens: null, target: null },
        hours: Math.max(hours, leastHours),
        informative: settings.groups,
      },
      settings: settings.search,
      // A run that another round left open is not this round's.
      fresh: own === undefined,
      seed: settings.seed + round.number,
    },
    opened,
    signal,
  );
}

function isFinished({ model }: Round, { store }: Pick<TuningParts, "store">): boolean {
  const own = store.tuning.models().find(({ id }) => id === model);
  return own?.made === "verified" && own.failed === null;
}

function informativeOf(run: Run, { store }: Pick<TuningParts, "store">): number {
  return store.closedGroups().filter((group) => group.run === run.id && group.informative).length;
}

function prove(
  { model }: Round,
  { chains, K, seed, search }: BootstrapSettings,
  parts: RoundsParts,
  say: (what: string) => void,
  signal: AbortSignal,
): Promise<Gate> {
  say("proving the tuned model on held-out tasks");
  const maxReplyTokens = search.maxReplyTokens ?? null;
  return parts.passGate({ model, chains, K, seed, maxReplyTokens }, signal);
}
