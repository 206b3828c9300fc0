// Running other programs: always with a time limit, their chatter in a log file, and a failure that is
// a sentence with the end of that log.
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Process groups started here, not ended yet, that end with us. @type {Set<number>} */
const running = new Set();

const onWindows = process.platform === "win32";

/** @param {number} pid @param {NodeJS.Signals} signal */
function signalGroup(pid, signal) {
  try {
    process.kill(onWindows ? pid : -pid, signal);
  } catch {
    // Already gone.
  }
}

/**
 * Ends what was started here: for a set-up that is told to stop. At once, since npm answers a polite signal
 * with seconds of tidying, into which the next set-up would run; what is half done is thrown away anyway.
 */
export function stopRunning() {
  for (const pid of running) signalGroup(pid, "SIGKILL");
}

/**
 * @param {string} file
 * @param {number} [lines]
 */
export function tail(file, lines = 15) {
  try {
    return fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/**
 * Killed outright, a set-up cannot end its children; one left over would work in the same folder as the
 * next set-up's. Linux can end them by itself.
 */
function dyingWithUs() {
  const setpriv = process.platform === "linux" && findProgram("setpriv");
  return setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : [];
}

/**
 * Runs a program to its end; everything it prints goes to the log.
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.log file to append to
 * @param {number} options.limitSeconds
 * @param {string} options.what names the work in a failure: "Installing Docker"
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.outlivesUs] when this process is ended, let the program finish what it does
 */
export function runLogged(
  command,
  args,
  { log, limitSeconds, what, cwd, env = process.env, outlivesUs = false },
) {
  return new Promise((resolve, reject) => {
    fs.appendFileSync(log, `\n$ ${[command, ...args].join(" ")}\n`);
    const output = fs.openSync(log, "a");
    // A group of its own, so that the limit ends the program's children as well.
    const [program = command, ...all] = [...(outlivesUs ? [] : dyingWithUs()), command, ...args];
    const child = spawn(program, all, { cwd, env, stdio: ["ignore", output, output], detached: !onWindows });
    fs.closeSync(output);
    const { pid } = child;
    if (pid !== undefined && !outlivesUs) running.add(pid);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      if (pid === undefined) return;
      signalGroup(pid, "SIGTERM");
      setTimeout(() => signalGroup(pid, "SIGKILL"), 5000).unref();
    }, limitSeconds * 1000);
    /** @param {string} how */
    const fail = (how) => {
      const end = tail(log);
      reject(new Error(`${what} ${how}. Its log, ${log}, ends with:\n${end.replace(/^/gm, "    ")}`));
    };
    child.once("error", (error) => {
      clearTimeout(limit);
      fail(`could not start (${error.message})`);
    });
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      if (pid !== undefined) running.delete(pid);
      if (late) fail(`was ended after ${limitSeconds} s without finishing`);
      else if (code === 0) resolve(undefined);
      else fail(`failed (${signal ? `signal ${signal}` : `exit status ${code}`})`);
    });
  });
}

/**
 * Runs a short program for its answer.
 * @param {string} command
 * @param {string[]} args
 * @param {{ limitSeconds?: number, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string | undefined>} what it printed; undefined when it is absent, fails or takes too long
 */
export function ask(command, args, { limitSeconds = 10, env = process.env } = {}) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: limitSeconds * 1000, killSignal: "SIGKILL", env }, (error, stdout) => {
      resolve(error ? undefined : stdout.trim());
    });
  });
}

/**
 * @param {string} name
 * @returns {string | undefined} full path of a program; looks in the system folders a bare PATH leaves out
 */
export function findProgram(name) {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  if (!onWindows) folders.push("/usr/local/bin", "/usr/sbin", "/sbin", "/usr/bin", "/bin");
  const endings = onWindows ? [".exe", ".cmd", ".bat"] : [""];
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      try {
        fs.accessSync(file, fs.constants.X_OK);
        if (fs.statSync(file).isFile()) return file;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/** @param {string} url the caller's import.meta.url @returns {boolean} was this file the one started by name? */
export function isMain(url) {
  try {
    return fs.realpathSync(process.argv[1] ?? "") === fs.realpathSync(fileURLToPath(url));
  } catch {
    return false;
  }
}
