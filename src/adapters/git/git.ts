/**
 * The only place that starts git. Every call gets an environment made from nothing, so that neither the user's
 * configuration nor variables of the process can run a hook, a filter or another program, and names the
 * repository outright, so that git never looks for one (and never judges who owns the folder).
 */
import { devNull } from "node:os";
import { simpleGit } from "simple-git";
import { ExitError, messageOf } from "../../core/errors.ts";

interface GitCall {
  /** Written to standard input; must not be empty. */
  readonly input?: Buffer;
  /** Working folder; default: the repository. */
  readonly cwd?: string;
  /** Exit codes besides 0 that are answers, not failures. */
  readonly accept?: (exitCode: number) => boolean;
}

interface GitAnswer {
  /** Standard output decoded as UTF-8. */
  readonly text: string;
  readonly exitCode: number;
}

export interface Git {
  /** @throws ExitError `git-missing`, `git-failed`, `disk-full`. */
  run(args: readonly string[], call?: GitCall): Promise<GitAnswer>;
  /** `cat-file --batch` for these object ids: standard output as bytes. Throws like `run`. */
  catFiles(ids: readonly string[]): Promise<Buffer>;
}

/** Variables a program needs to be found and started at all; nothing else is handed on. */
const passedOn = new Set(["PATH", "PATHEXT", "SYSTEMROOT", "WINDIR", "COMSPEC", "TEMP", "TMP", "TMPDIR"]);

function environment(gitDir: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && passedOn.has(name.toUpperCase())) env[name] = value;
  }
  return {
    ...env,
    LC_ALL: "C",
    GIT_DIR: gitDir,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
  };
}

export function hardenedGit(gitDir: string): Git {
  /** One instance per call: what goes to standard input belongs to the instance. */
  function client(call: GitCall, ended: (exitCode: number) => void) {
    const env = environment(gitDir);
    const { input } = call;
    return simpleGit({
      baseDir: call.cwd ?? gitDir,
      allowEnvironment: Object.keys(env).filter((name) => name.startsWith("GIT_")),
      // simple-git wants this said for a configuration path in the environment; ours is the null device.
      unsafe: { allowUnsafeConfigPaths: true },
      completion: { onClose: true, onExit: false },
      ...(input === undefined ? {} : { input: () => input }),
      // simple-git forgives a failure that prints nothing; here every exit code counts.
      errors(error, result) {
        ended(result.exitCode);
        if (error) return error;
        if (result.exitCode === 0 || call.accept?.(result.exitCode)) return undefined;
        return Buffer.concat([...result.stdErr, Buffer.from(` (exit code ${result.exitCode})`)]);
      },
    }).env(env);
  }

  async function guarded<T>(command: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw explain(error, command, gitDir);
    }
  }

  return {
    run: (args, call = {}) =>
      guarded(args[0] ?? "git", async () => {
        let exitCode = 0;
        const text = await client(call, (code) => {
          exitCode = code;
        }).raw([...args]);
        return { text, exitCode };
      }),
    catFiles: (ids) =>
      guarded("cat-file", async () => {
        const input = Buffer.from(`${ids.join("\n")}\n`);
        const bytes: unknown = await client({ input }, () => {}).binaryCatFile(["--batch"]);
        if (!Buffer.isBuffer(bytes)) throw new Error("no bytes came back");
        return bytes;
      }),
  };
}

function explain(error: unknown, command: string, gitDir: string): ExitError {
  const said = messageOf(error).trim();
  if (/spawn \S+ ENOENT/.test(said)) {
    return new ExitError(
      "git-missing",
      "git was not found. Install git 2.32 or newer, or put it on PATH, and try again.",
      { cause: error },
    );
  }
  if (/No space left on device|Out of diskspace|Disk quota exceeded/.test(said)) {
    return new ExitError(
      "disk-full",
      `The disk is full: git could not write to ${gitDir}. Free some space.`,
      {
        cause: error,
      },
    );
  }
  return new ExitError(
    "git-failed",
    `git ${command} failed in ${gitDir}: ${said}. Check that the folder exists and can be written.`,
    { cause: error },
  );
}
