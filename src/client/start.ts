/** Starts a runner that outlives this process. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ExitError } from "../protocol/errors.ts";
import { runnerLogPath, stateFolder } from "../protocol/runner-file.ts";
import { startReportSchema } from "../protocol/start-report.ts";
import { runnerEnvironment } from "./environment.ts";
import { chooseNode } from "./node-binary.ts";

export interface StartOptions {
  /** Path of `runner.js`. */
  readonly script: string;
  /** The setting `runner.nodePath`. */
  readonly nodePath: string | null;
  /** The setting `trainer.python`. */
  readonly trainerPython: string | null;
}

/**
 * Resolves once the runner serves the workspace.
 * @throws ExitError with the reason and sentence the runner gave, such as `workspace-locked`; `runner-crashed`
 *   if it ended without one.
 */
export async function startRunner(workspace: string, options: StartOptions): Promise<void> {
  if (!existsSync(options.script))
    throw new ExitError(
      "runner-missing",
      `The runner ${options.script} is missing; build it or install again.`,
    );
  const node = chooseNode(options.nodePath);
  const output = openOutput(workspace);
  try {
    const child = spawn(
      node.path,
      // The warning that node:sqlite is young would be the first line of every log.
      ["--disable-warning=ExperimentalWarning", options.script, workspace],
      {
        cwd: workspace,
        detached: true,
        windowsHide: true,
        env: runnerEnvironment(process.env, node.electron, options.trainerPython),
        stdio: ["ignore", output.descriptor, output.descriptor, "ipc"],
      },
    );
    await started(child, output, node.path);
  } finally {
    closeSync(output.descriptor);
  }
}

/** The log, which gets what the runner prints before it can write it itself: crashes of Node, mostly. */
interface Output {
  readonly descriptor: number;
  printed(): string;
}

function openOutput(workspace: string): Output {
  const log = runnerLogPath(workspace);
  mkdirSync(dirname(log), { recursive: true });
  const ignore = join(stateFolder(workspace), ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
  const descriptor = openSync(log, "a", 0o600);
  const before = fstatSync(descriptor).size;
  return { descriptor, printed: () => readFileSync(log).subarray(before).toString("utf8") };
}

function started(child: ChildProcess, output: Output, node: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const letGo = (): void => {
      child.removeAllListeners().on("error", () => undefined);
      if (child.connected) child.disconnect();
      child.unref();
    };
    child.on("message", (message) => {
      const report = startReportSchema.safeParse(message);
      if (!report.success) return;
      letGo();
      if ("ready" in report.data) resolve();
      else reject(new ExitError(report.data.failed.reason, report.data.failed.message));
    });
    child.on("error", (cause) => {
      letGo();
      reject(
        new ExitError("runner-crashed", `The runner could not be started with ${node}: ${cause.message}.`),
      );
    });
    // `close` comes after the last message, `exit` might not.
    child.on("close", (code, signal) => {
      letGo();
      const tail = output.printed().trim().split("\n").slice(-15).join("\n");
      const how = signal === null ? `exit code ${code}` : signal;
      reject(
        new ExitError("runner-crashed", `The runner ended at its start (${how}).${tail && `\n${tail}`}`),
      );
    });
  });
}
