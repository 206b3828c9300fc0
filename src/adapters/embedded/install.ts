/** Installs node-llama-cpp with the binaries of this platform only: a plain install brings every GPU build too. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";
import runtimePackage from "./runtime-package.json" with { type: "json" };

/** As much as npm may say before its end alone is kept. */
const keptOutput = 4_000;

/**
 * Installs into `folder`, which is replaced as a whole once the new one is complete.
 * @returns the version
 * @throws ExitError `runtime-unsupported`, `npm-missing`, `runtime-install-failed`.
 */
export async function installRuntime(folder: string, signal: AbortSignal): Promise<string> {
  const { version, binaries } = runtimePackage;
  const platform = `${process.platform}-${process.arch}`;
  const binary = (binaries as Readonly<Record<string, string>>)[platform];
  if (binary === undefined)
    throw new ExitError("runtime-unsupported", `There is no embedded runtime for ${platform}. Use Ollama.`);
  await mkdir(dirname(folder), { recursive: true });
  const fresh = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    await writeFile(join(fresh, "package.json"), '{ "private": true, "type": "module" }\n');
    await npm(
      [
        "install",
        "--omit=optional",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        `node-llama-cpp@${version}`,
        `@node-llama-cpp/${binary}@${version}`,
      ],
      fresh,
      signal,
    );
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return version;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function npm(args: readonly string[], cwd: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const onWindows = process.platform === "win32";
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
  // A batch file on Windows, which only a shell starts; the arguments are ours.
  const child = spawn(onWindows ? "npm.cmd" : "npm", args, {
    cwd,
    env,
    signal,
    shell: onWindows,
    windowsHide: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-keptOutput);
    });
  const code = await new Promise<number | null>((resolve, reject) => {
    // Told to stop, it works on for a moment: its end is awaited, lest it write into a folder that is taken away.
    child.once("error", (error) => {
      if (child.pid === undefined) reject(error);
    });
    child.once("close", resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    signal.throwIfAborted();
    throw error.code === "ENOENT"
      ? new ExitError(
          "npm-missing",
          "Installing the embedded runtime needs npm, which is not in PATH. Install Node.js, or use Ollama.",
        )
      : new ExitError("runtime-install-failed", `npm could not be started: ${messageOf(error)}.`);
  });
  signal.throwIfAborted();
  if (code !== 0)
    throw new ExitError(
      "runtime-install-failed",
      `npm could not install the embedded runtime (exit code ${code}):\n${said.trim()}`,
    );
}
