/** What an ending means, from the recorded cause, the engine's state and its events; the first rule that fits. */
import type { Evidence } from "../../core/ports.ts";
import type { Verdict } from "../../core/verdict.ts";
import { plainText } from "./stream.ts";
import type { Cause, Ending, Watch } from "./supervise.ts";
import { timedOut } from "./warden/warden.ts";

export interface Judgement {
  /** Null if the command ended well. */
  readonly verdict: Verdict | null;
  readonly note: string;
  readonly cause: Cause | null;
}

const verdictOf: Record<Cause, Verdict> = {
  deadline: "timeout",
  output: "output_limit",
  disk: "disk_limit",
  user: "cancelled",
};

const noteOf: Record<Cause, string> = {
  deadline: "Killed at its time limit.",
  output: "Killed because it printed too much.",
  disk: "Killed because it wrote more than its disk limit.",
  user: "Stopped by the user.",
};

/** 128 + SIGXFSZ: a file grew beyond the size limit. */
const fileTooLarge = 153;
const killed = [137, 143];

/** Was a process of it killed for want of memory? */
export function isOutOfMemory(ending: Ending): boolean {
  return ending.state?.OOMKilled === true || ending.events?.includes("oom") === true;
}

/** @param isFull its working directory was full when it had ended. */
export function judge(ending: Ending, limitMs: number, isFull: boolean): Judgement {
  const by = (cause: Cause): Judgement => ({ verdict: verdictOf[cause], note: noteOf[cause], cause });
  const is = (verdict: Verdict, note: string): Judgement => ({ verdict, note, cause: null });
  if (ending.cause !== null) return by(ending.cause);
  const { state } = ending;
  if (state === null || ending.lost !== null) return is("infra", ending.lost ?? "The container is lost.");
  const code = state.ExitCode;
  if (isOutOfMemory(ending)) return is("oom", "Ran out of memory.");
  // A command that ends with this code by itself does so in its time.
  if (code === timedOut && ending.ms >= limitMs) return by("deadline");
  if (ending.interrupted) return is("infra", "The connection to the engine broke while the command ran.");
  // Whatever it made of the signal: a program may end well when it is told to stop.
  if (ending.events?.includes("kill")) return is("infra", "The container was stopped from outside.");
  if (ending.events === null && killed.includes(code))
    return is("infra", "The container was killed, and the engine does not tell by whom.");
  if (state.Error !== "") return is("infra", `The engine reports: ${state.Error}`);
  if (code === 0) return { verdict: null, note: "Ended with exit code 0.", cause: null };
  if (code === fileTooLarge) return is("disk_limit", "Wrote a file larger than its disk limit.");
  if (isFull) return is("disk_limit", "Ran out of disk space in /work.");
  if (code === 127) return is("crash", "The command was not found in the image (exit code 127).");
  if (code === 126) return is("crash", "The command could not be executed (exit code 126).");
  if (code > 128 && code < 160) return is("crash", `Ended by signal ${code - 128} (exit code ${code}).`);
  return is("crash", `Ended with exit code ${code}.`);
}

/** The record of an ending. */
export function evidenceOf(ending: Ending, captures: Watch["captures"], judgement: Judgement): Evidence {
  return {
    exitCode: ending.state?.ExitCode ?? null,
    killedFor: judgement.cause,
    oomKilled: isOutOfMemory(ending),
    stdout: plainText(captures.stdout.text()),
    stderr: plainText(captures.stderr.text()),
    ms: Math.round(ending.ms),
    note: judgement.note,
  };
}

/** The record of a command that never came to run, or of which nothing is known. */
export function nothingKnown(note: string): Evidence {
  return { exitCode: null, killedFor: null, oomKilled: false, stdout: "", stderr: "", ms: 0, note };
}
