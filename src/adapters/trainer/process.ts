/** A child process that is run to its end, and that ends with us. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Is given each line, and which stream it came from. */
export type Hear = (line: string, from: "stdout" | "stderr") => void;

/** Milliseconds between a polite signal and one that cannot be refused. */
const graceMs = 3_000;

const onWindows = process.platform === "win32";

/**
 * The child leads a process group of its own: a signal meant for a terminal does not reach it, and with it everything
 * that it started is ended. Its standard input stays open as long as this process lives; what has to end with us
 * watches that (trainer/exit_trainer/attached.py).
 * @returns its exit code, or the signal that ended it
 * @throws the error of the system where it cannot be started
 */
export async function runToEnd(
  { program, args, cwd, env }: Command,
  hear: Hear,
  signal: AbortSignal,
): Promise<number | NodeJS.Signals> {
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd,
    env,
    detached: !onWindows,
    windowsHide: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {}); // It may close its end.
  for (const from of ["stdout", "stderr"] as const)
    createInterface({ input: child[from] }).on("line", (line) => hear(line, from));
  let patience: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, "SIGTERM");
    patience = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
  };
  signal.addEventListener("abort", stop, { once: true });
  child.once("exit", () => signalGroup(child, "SIGKILL")); // What it left behind.
  try {
    const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once("error", (error) => {
        if (child.pid === undefined) reject(error);
      });
      child.once("close", (code, killed) => resolve(killed ?? code ?? 0));
    });
    signal.throwIfAborted();
    return end;
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(patience);
  }
}

function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(onWindows ? pid : -pid, name);
  } catch {
    // Gone already.
  }
}

/** What an editor, a debugger, another environment of Python or torchrun put there for children of their own. */
const foreign =
  /^(VSCODE_.*|ELECTRON_.*|NODE_OPTIONS|NODE_CHANNEL_.*|NODE_V8_COVERAGE|PYTHON.*|VIRTUAL_ENV|CONDA_PREFIX|__PYVENV_LAUNCHER__|(LOCAL_)?RANK|WORLD_SIZE)$/i;

/** @param trainer folder that the package `exit_trainer` lies in */
export function childEnvironment(env: NodeJS.ProcessEnv, trainer: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(kept),
    PYTHONPATH: trainer,
    PYTHONUNBUFFERED: "1",
    PYTHONUTF8: "1",
    PYTHONDONTWRITEBYTECODE: "1", // The package may lie where nothing is to be written.
  };
}
