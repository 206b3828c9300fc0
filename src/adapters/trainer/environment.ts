/** The Python that the trainer runs in: one the user names, or an environment of its own that is made on demand. */
import { join } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";
import { makeEnvironment, type WithLock } from "./make-environment.ts";
import { digestOf, isReady, programOf } from "./marker.ts";
import { childEnvironment, runToEnd } from "./process.ts";
import { listen, quoted } from "./said.ts";

/** Of what is compiled: it may be there and still not fit this system. Ours first: it says where torch may write. */
const proof = "import exit_trainer.__main__, torch, transformers, peft, gguf, numpy, psutil";

/** Bytes free before it is made: the packages of torch 2.15 for CUDA (5.6 GB), and their archives while they come. */
const bytes = 9e9;

export interface Environment {
  /** Path of its program, whether it is there or not. */
  readonly python: string;
  /** @throws ExitError `trainer-environment` */
  prepare(say: (text: string) => void, signal: AbortSignal): Promise<void>;
}

export interface EnvironmentSettings {
  /** Absolute folder that the Python package `exit_trainer` and its requirements.txt lie in. */
  readonly package: string;
  /** Absolute folder for what is fetched and made once for all workspaces. */
  readonly cache: string;
  /** Absolute path of a Python that has all that is needed; null: an environment is made on demand. */
  readonly python: string | null;
  readonly withLock: WithLock;
}

export function environmentOf({
  package: trainer,
  cache,
  python: named,
  withLock,
}: EnvironmentSettings): Environment {
  const requirements = join(trainer, "requirements.txt");
  const log = join(cache, "logs", "trainer.log");
  if (named !== null)
    return { python: named, prepare: (_say, signal) => prove(named, trainer, requirements, log, signal) };
  const folder = folderFor(requirements, cache);
  const lock = join(cache, "locks", "trainer.lock");
  return {
    python: programOf(folder),
    prepare: (say, signal) =>
      makeEnvironment({ folder, requirements, proof, bytes, trainer, lock, withLock, log }, say, signal),
  };
}

/**
 * What the set-up of a clone made, where that holds what is needed; else a folder named by what it is to hold, so that
 * another version of the product never takes an environment away from a training under way.
 */
function folderFor(requirements: string, cache: string): string {
  const ofSetUp = join(cache, "trainer");
  return isReady(ofSetUp, requirements) ? ofSetUp : `${ofSetUp}-${digestOf(requirements).slice(0, 8)}`;
}

async function prove(
  python: string,
  trainer: string,
  requirements: string,
  log: string,
  signal: AbortSignal,
): Promise<void> {
  const said = listen(log);
  const env = childEnvironment(process.env, trainer);
  const end = await runToEnd(
    { program: python, args: ["-c", proof], cwd: trainer, env },
    said.add,
    signal,
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new ExitError(
      "trainer-environment",
      `${python}, named in exitMl.trainer.python (or EXIT_ML_TRAINER_PYTHON), cannot be started: ${messageOf(error)}. Name another one, or none: then an environment is made.`,
      { cause: error },
    );
  });
  if (end !== 0)
    throw new ExitError(
      "trainer-environment",
      `${python}, named in exitMl.trainer.python (or EXIT_ML_TRAINER_PYTHON), lacks what the trainer needs. Bring it with: "${python}" -m pip install -r "${requirements}". Or name no Python: then an environment is made. ${quoted(said)}`,
    );
}
