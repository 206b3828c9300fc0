/** One call of `python -m exit_trainer`: its events told as they come, its end as a result or an error. */
import { z } from "zod";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { TellTrainer, TrainerEvent } from "../../core/tuning/ports.ts";
import { childEnvironment, runToEnd } from "./process.ts";
import { listen, quoted } from "./said.ts";

export interface Verb {
  readonly python: string;
  /** Folder that the package `exit_trainer` lies in. */
  readonly trainer: string;
  readonly name: "doctor" | "estimate" | "train" | "merge" | "verify";
  readonly options: readonly string[];
  /** File for what it says beside its events. */
  readonly log: string;
}

const eventSchema = z.looseObject({ event: z.string(), text: z.string() });
const refusalSchema = z.object({ event: z.literal("refused"), text: z.string(), reason: z.string() });

/** The last event of each kind. */
export type Told = ReadonlyMap<string, TrainerEvent>;

/** @throws ExitError `trainer-environment`, `trainer-<reason>` of a refusal, `trainer-failed`. */
export async function runVerb(
  { python, trainer, name, options, log }: Verb,
  tell: TellTrainer,
  signal: AbortSignal,
): Promise<Told> {
  const said = listen(log);
  const told = new Map<string, TrainerEvent>();
  const end = await runToEnd(
    {
      program: python,
      args: ["-m", "exit_trainer", "--attached", name, ...options],
      cwd: trainer, // A module of the same name in another folder would be imported instead of the package's.
      env: childEnvironment(process.env, trainer),
    },
    (line, from) => {
      const event = from === "stdout" ? eventIn(line) : null;
      if (event === null) return said.add(line);
      told.set(event.event, event);
      tell(event);
    },
    signal,
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new ExitError(
      "trainer-environment",
      `The trainer's Python, ${python}, cannot be started: ${messageOf(error)}. Let its environment be made, or name another Python in exitMl.trainer.python (or EXIT_ML_TRAINER_PYTHON).`,
      { cause: error },
    );
  });
  const refusal = refusalSchema.safeParse(told.get("refused"));
  if (refusal.success) throw new ExitError(`trainer-${refusal.data.reason}`, refusal.data.text);
  if (end !== 0)
    throw new ExitError("trainer-failed", `The trainer (${name}) ${inWords(end)} ${quoted(said)}`);
  return told;
}

function eventIn(line: string): TrainerEvent | null {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function inWords(end: number | NodeJS.Signals): string {
  if (typeof end === "number") return `broke with exit code ${end}.`;
  const why = end === "SIGKILL" ? ": most likely the machine ran out of memory" : "";
  return `was ended by ${end}${why}.`;
}

/** The facts of an event that the call had to end with. */
export function factsOf<T>(told: Told, event: string, schema: z.ZodType<T>): T {
  const facts = schema.safeParse(told.get(event));
  if (facts.success) return facts.data;
  throw new ExitError(
    "trainer-failed",
    `The trainer ended without its result "${event}" as it is known here: its package is of another version. Install ExIt ML again.\n${z.prettifyError(facts.error)}`,
  );
}
