// A program that takes over the terminal for a while: it prints for itself, and a Ctrl-C is its own to
// answer, once, so that it can end its work in order.
import { spawn } from "node:child_process";

const onWindows = process.platform === "win32";
const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, limitSeconds?: number }} options
 * @returns {Promise<{ status: number, stopped: boolean, late: boolean }>} status: as a shell would give it;
 *   stopped: we were told to stop meanwhile; late: the time limit ended it
 */
export function runInForeground(command, args, { cwd, env, limitSeconds }) {
  return new Promise((resolve) => {
    // In a process group of its own, the terminal's Ctrl-C reaches only us, and we hand it on: otherwise
    // the program would get it twice and take the second one for "at once".
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", "inherit", "inherit"],
      detached: !onWindows,
    });
    let stopped = false;
    let late = false;
    /** @param {NodeJS.Signals} signal */
    const handOn = (signal) => {
      stopped = true;
      // Asked to end, whichever way: the program gets the signal that it answers by ending in order.
      if (!onWindows) child.kill(signal === "SIGTERM" ? "SIGINT" : signal);
    };
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, handOn);
    const limit =
      limitSeconds &&
      setTimeout(() => {
        late = true;
        endGroup(child.pid, "SIGTERM");
        setTimeout(() => endGroup(child.pid, "SIGKILL"), 10_000).unref();
      }, limitSeconds * 1000);
    /** @param {number} status */
    const end = (status) => {
      clearTimeout(limit);
      for (const signal of signals) process.off(signal, handOn);
      resolve({ status, stopped, late });
    };
    child.once("error", (error) => {
      console.error(`${command} could not start: ${error.message}`);
      end(127);
    });
    child.once("close", (code, signal) => {
      end(code ?? 128 + (numbers[/** @type {keyof typeof numbers} */ (signal)] ?? 0));
    });
  });
}

/** @param {number | undefined} pid @param {NodeJS.Signals} signal */
function endGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(onWindows ? pid : -pid, signal);
  } catch {
    // Already gone.
  }
}
