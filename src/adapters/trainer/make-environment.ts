/** Makes an environment: by uv where it is in PATH, else by venv and pip. */
import { existsSync, statfsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ExitError, isExitError, messageOf } from "../../core/errors.ts";
import { isReady, mark, programOf } from "./marker.ts";
import { childEnvironment, runToEnd } from "./process.ts";
import { listen, quoted, type Said } from "./said.ts";

/**
 * Does the work while no other process does work under the same lock.
 * @param onWait told once, with the process that holds it
 */
export type WithLock = <T>(
  lock: string,
  onWait: (pid: number) => void,
  signal: AbortSignal,
  work: () => Promise<T>,
) => Promise<T>;

export interface Recipe {
  /** Absolute, where it is made; what is there and not ready is replaced. */
  readonly folder: string;
  /** File that names its packages. */
  readonly requirements: string;
  /** Python that fails where something is missing. */
  readonly proof: string;
  /** That have to be free. */
  readonly bytes: number;
  /** Folder that the package `exit_trainer` lies in. */
  readonly trainer: string;
  readonly lock: string;
  readonly withLock: WithLock;
  readonly log: string;
}

/** What of an installer's many lines a user is told. */
const progress = /^\s*(Collecting|Downloading|Installing|Resolved|Prepared|Installed)\b/;
const offline =
  /from versions: none|name resolution|resolve host|dns error|connection|network|unreachable|timed? ?out|certificate|proxy/i;
const full = /no space left|disk quota/i;

/** Nothing where it is ready. @throws ExitError `trainer-environment` */
export async function makeEnvironment(
  recipe: Recipe,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { folder, requirements, lock, withLock } = recipe;
  if (isReady(folder, requirements)) return;
  const wait = (pid: number) =>
    say(`Waiting for process ${pid}, which is making the trainer's environment and holds ${lock}.`);
  try {
    await withLock(lock, wait, signal, async () => {
      if (!isReady(folder, requirements)) await makeAnew(recipe, say, signal);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (isExitError(error)) throw error;
    throw new ExitError(
      "trainer-environment",
      `The trainer's environment cannot be made in ${folder}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function makeAnew(recipe: Recipe, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const { folder } = recipe;
  refuseFullDisk(recipe);
  await rm(folder, { recursive: true, force: true });
  try {
    await make(recipe, say, signal);
  } catch (error) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

async function make(recipe: Recipe, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const { folder, requirements, proof } = recipe;
  const python = programOf(folder);
  const run = runnerOf(recipe, say, signal);
  say("Making the trainer's environment: some gigabytes are fetched, which takes some minutes.");
  const uv = await answers(run, "uv", ["--version"], signal);
  const begin = uv
    ? await run("uv", ["venv", "--python", ">=3.11", folder])
    : await run(await pythonWithVenv(run, signal), ["-m", "venv", folder]);
  if (begin.end !== 0) throw cannotBeMade("It could not be begun.", begin.said);
  await mkdir(archivesOf(folder));
  // Like the trainer, what takes minutes ends with us.
  const fill = await run(python, [
    ...["-m", "exit_trainer.attached"],
    ...(uv
      ? ["uv", "pip", "install", "--compile-bytecode", "--python", python]
      : [python, "-m", "pip", "install", ...quietPip]),
    ...["-r", requirements],
  ]);
  if (fill.end !== 0) throw cannotBeMade("Its packages could not be installed.", fill.said);
  await rm(archivesOf(folder), { recursive: true, force: true });
  const proven = await run(python, ["-c", proof]);
  if (proven.end !== 0) throw cannotBeMade("Its packages do not run on this system.", proven.said);
  mark(folder, requirements);
  say("The trainer's environment is ready.");
}

const quietPip = ["--progress-bar=off", "--disable-pip-version-check", "--no-input", "--no-cache-dir"];

/** Where pip keeps what it fetched: with the environment, since a folder for temporary files is often too small. */
const archivesOf = (folder: string): string => join(folder, "archives");

type Run = (
  program: string,
  args: readonly string[],
) => Promise<{ end: number | NodeJS.Signals; said: Said }>;

function runnerOf({ folder, trainer, log }: Recipe, say: (text: string) => void, signal: AbortSignal): Run {
  const temporary = archivesOf(folder);
  return async (program, args) => {
    const said = listen(log);
    const own = childEnvironment(process.env, trainer);
    const env = existsSync(temporary) ? { ...own, TMPDIR: temporary, TEMP: temporary, TMP: temporary } : own;
    const hear = (line: string) => {
      said.add(line);
      if (progress.test(line)) say(line.trim());
    };
    const end = await runToEnd({ program, args, cwd: trainer, env }, hear, signal);
    return { end, said };
  };
}

/** Is the program there, and does it end well? */
async function answers(
  run: Run,
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await run(program, args)).end === 0;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function pythonWithVenv(run: Run, signal: AbortSignal): Promise<string> {
  const suits = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
  for (const name of ["python3", "python3.13", "python3.12", "python3.11", "python"])
    if (await answers(run, name, ["-c", suits], signal)) return name;
  throw new ExitError(
    "trainer-environment",
    "The trainer needs Python 3.11 or newer with venv, and there is none in PATH. Install it (Debian and Ubuntu: apt-get install python3-venv) or uv (https://docs.astral.sh/uv), or name a Python that has its packages in exitMl.trainer.python (or EXIT_ML_TRAINER_PYTHON).",
  );
}

function cannotBeMade(what: string, said: Said): ExitError {
  const why = full.test(said.tail)
    ? "The disk is full: make room."
    : offline.test(said.tail)
      ? "The packages' index cannot be reached: look at the connection and at HTTPS_PROXY, or name an index in PIP_INDEX_URL (for uv UV_INDEX_URL)."
      : "A Python that has the packages can be named in exitMl.trainer.python (or EXIT_ML_TRAINER_PYTHON).";
  return new ExitError(
    "trainer-environment",
    `The trainer's environment cannot be made. ${what} ${why} ${quoted(said)}`,
  );
}

function refuseFullDisk({ folder, bytes }: Recipe): void {
  const place = dirname(folder);
  const { bavail, bsize } = statfsSync(place);
  if (bavail * bsize >= bytes) return;
  throw new ExitError(
    "trainer-environment",
    `The trainer's environment takes about ${gigabytes(bytes)} while it is made, and ${place} has ${gigabytes(bavail * bsize)} free. Make room, or name another folder in EXIT_ML_CACHE.`,
  );
}

const gigabytes = (count: number): string => `${(count / 1e9).toFixed(1)} GB`;
