/** What a case of the suite is: revisions that try something, and what must come of them. */
import type { ScoreResult, Solution } from "../../src/core/ports.ts";
import type { Verdict } from "../../src/core/verdict.ts";
import type { Stage } from "./stage.ts";

/** Files of a workspace by path. */
export type Files = Readonly<Record<string, string>>;

/** Sections of `exit.task.json` that differ from the plain task of stage.ts. */
export interface TaskParts {
  readonly run?: object;
  readonly score?: object;
  readonly metric?: object;
  readonly sandbox?: object;
  readonly holdout?: object;
}

/** One revision, scored on the way every revision takes. */
export interface Trial {
  /** What sets it apart from the other trials of its case. */
  readonly name?: string;
  readonly revision: Solution;
  readonly task?: TaskParts;
  /** Files of the user's workspace beside the plain ones. */
  readonly workspace?: Files;
  /** Done to the workspace folder before its task is read. */
  readonly prepare?: (folder: string) => void;
  /** An honest revision of the same task is scored before, so that there are outputs to compare with. */
  readonly rootFirst?: boolean;
  /** No kill of the sandbox's reaches the engine, as if the runner were gone: what ends it is in its container. */
  readonly withoutKills?: boolean;
  /** The verdict, or the reason with which scoring must be refused before anything runs. */
  readonly expects: Verdict | { readonly refusal: string };
  /** What else must be true; throws an assertion error. */
  readonly holds?: (seen: Seen) => void;
  /** A fact about this engine worth printing. */
  readonly tells?: (seen: Seen) => string;
}

/** What is known after a trial. */
export interface Seen {
  readonly result: ScoreResult;
  /** What the revision printed, both channels as kept. */
  readonly stdout: string;
  readonly stderr: string;
  /** What the evaluator printed to its error channel: what it saw, where a case has it tell. */
  readonly evaluator: string;
}

export interface Case {
  /** Number of the case in the catalogue: R resources, E escape, N network, T tampering, D faults around it. */
  readonly id: string;
  /** What is tried, in one line. */
  readonly tries: string;
  /** What must come of it, in one line. */
  readonly promise: string;
  /** It takes the machine or is measured, so nothing runs beside it. */
  readonly alone?: boolean;
  /** What it does. Most cases are a list of trials. */
  readonly play: readonly Trial[] | ((stage: Stage) => Promise<void>);
}

/** For the type's sake: a case file's default export. */
export function hostile(definition: Case): Case {
  return definition;
}

export function files(texts: Files): Solution {
  return Object.entries(texts)
    .map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text), executable: false }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A revision of one Python program, with what the programs of this suite share before it. */
export function python(program: string, more: Files = {}): Solution {
  return files({ ...more, "solution/main.py": `${prelude}${program}\n` });
}

/** A revision that is a shell script. */
export function shell(program: string): Solution {
  return python('os.execvp("sh", ["sh", "solution/main.sh"])', { "solution/main.sh": program });
}

/** `leave` writes the output the plain score command reads; `tell` prints at once. */
const prelude = `import ctypes, errno, glob, json, mmap, os, signal, socket, stat, struct, subprocess, sys, threading, time
def leave(value, path="out.csv"):
    with open(path, "w") as file: file.write(str(value))
def tell(*words): print(*words, flush=True)
def attempt(what, act):
    try: result = act()
    except Exception as error: tell(what, "refused:", type(error).__name__, getattr(error, "errno", "")); return None
    tell(what, "GOT", str(result)[:200]); return result
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    got = getattr(libc, name)(*args)
    if got < 0: raise OSError(ctypes.get_errno(), name)
    return got
`;

/** What an honest revision scores under the plain task. */
export const honestScore = 0.5;
export const honest: Solution = python(`leave(${honestScore})`);

/** A score command that tells which files it finds, then does what the plain one does. */
export const listingScore = `import os, sys
for folder, _, names in os.walk("."):
    for name in names: print(os.path.join(folder, name)[2:], file=sys.stderr)
print('{"score": ' + open("out.csv").read() + "}")
`;

/** The files a listing score command found. */
export function listed(seen: Seen): string[] {
  return seen.evaluator.split("\n").filter(Boolean).sort();
}

/** What it finds when a revision leaves nothing but its output. */
export const plainFiles = [".exit-ml-canary", "data/labels.csv", "data/public.csv", "out.csv", "score.py"];
