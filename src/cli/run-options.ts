/** From the options of `exit-ml run` to the request. */
import { isAbsolute, resolve } from "node:path";
import { ExitError } from "../protocol/errors.ts";
import type { RequestOf } from "../protocol/methods.ts";
import { checkSetting, guaranteeNames, type Settings, settingNotes } from "../protocol/results.ts";

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
  readonly set?: readonly string[];
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
      ...settingsFrom(flags.set ?? []),
    },
    runtime: flags.runtime ?? null,
    model: modelFrom(flags.model, cwd),
    endpoint: flags.endpoint ?? (env.OLLAMA_HOST || null),
    fresh: flags.fresh === true,
    allowMissing: (flags.allowMissing ?? []).map(guaranteeNamed),
    seed: flags.seed ?? null,
  };
}

/**
 * What `--set NAME=VALUE` names, each time it was given.
 *
 * @throws ExitError `usage`, `setting-invalid`.
 */
export function settingsFrom(given: readonly string[]): Partial<Settings> {
  const settings = {};
  for (const text of given) {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (name === "")
      throw new ExitError("usage", `--set takes a name and a value, such as --set kappa=5, not "${text}".`);
    Object.assign(settings, checkSetting(name, readValue(value)));
  }
  return settings;
}

/** JSON where it is some, else a text. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One line for each setting: what it is, what it may be, its default and where that comes from. */
export function settingsHelp(): string {
  const width = Math.max(...settingNotes.map(({ name }) => name.length));
  const lines = settingNotes.map(
    ({ name, meaning, values, usually, source }) =>
      `  ${name.padEnd(width)}  ${meaning}: ${values} (default: ${usually}; ${source})`,
  );
  return lines.join("\n");
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
  return /\.gguf(#\w+)?$/i.test(model) && !isAbsolute(model) ? resolve(cwd, model) : model;
}
