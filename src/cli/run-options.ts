/** From the options of `exit-ml run` to the request. */
import { isAbsolute, resolve } from "node:path";
import { ExitError } from "../protocol/errors.ts";
import type { RequestOf } from "../protocol/methods.ts";
import { guaranteeNames } from "../protocol/results.ts";

export type RunRequest = RequestOf<"startRun">;

export interface RunFlags {
  readonly task?: readonly string[];
  readonly all?: boolean;
  readonly strategy: RunRequest["strategy"];
  readonly iterations?: number;
  readonly hours?: number;
  readonly tokens?: number;
  readonly target?: number;
  readonly groupSize?: number;
  readonly seed?: number;
  readonly depth?: number;
  readonly maxReplyTokens?: number;
  readonly model?: string;
  readonly runtime?: string;
  readonly endpoint?: string;
  readonly allowEndpoint?: boolean;
  readonly fresh?: boolean;
  readonly allowMissing?: readonly string[];
  readonly paper?: boolean;
}

/** Iterations of a run for which no end was named. */
export const defaultIterations = 10;

/**
 * @param cwd what a relative path of a model file is relative to
 * @param env of the terminal: the runner may have been started in another one
 * @throws ExitError `usage` for options that contradict each other.
 */
export function runRequestFrom(flags: RunFlags, cwd: string, env: NodeJS.ProcessEnv): RunRequest {
  const tasks = [...(flags.task ?? [])];
  if (flags.all && tasks.length > 0)
    throw new ExitError("usage", "--all means every train task; leave out --task, or leave out --all.");
  const endless = [flags.iterations, flags.hours, flags.tokens, flags.target].every(
    (end) => end === undefined,
  );
  return {
    tasks,
    all: flags.all === true,
    strategy: flags.strategy,
    budget: {
      iterations: flags.iterations ?? (endless ? defaultIterations : null),
      hours: flags.hours ?? null,
      tokens: flags.tokens ?? null,
      target: flags.target ?? null,
    },
    settings: {
      ...(flags.groupSize === undefined ? {} : { groupSize: flags.groupSize }),
      ...(flags.depth === undefined ? {} : { pipelineDepth: flags.depth }),
      ...(flags.maxReplyTokens === undefined ? {} : { maxReplyTokens: flags.maxReplyTokens }),
      ...(flags.paper ? { paper: true } : {}),
    },
    runtime: flags.runtime ?? null,
    model: modelFrom(flags.model, cwd),
    endpoint: flags.endpoint ?? (env.OLLAMA_HOST || null),
    fresh: flags.fresh === true,
    allowMissing: (flags.allowMissing ?? []).map(guaranteeNamed),
    seed: flags.seed ?? null,
  };
}

/** @throws ExitError `usage`. */
export function guaranteeNamed(text: string): (typeof guaranteeNames)[number] {
  const found = guaranteeNames.find((name) => name === text);
  if (found !== undefined) return found;
  throw new ExitError(
    "usage",
    `--allow-missing knows no guarantee "${text}"; there are ${guaranteeNames.join(", ")}.`,
  );
}

/** The runner works elsewhere: the path of a model file must not depend on where. */
export function modelFrom(model: string | undefined, cwd: string): string | null {
  if (model === undefined) return null;
  return model.toLowerCase().endsWith(".gguf") && !isAbsolute(model) ? resolve(cwd, model) : model;
}
