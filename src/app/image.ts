/**
 * "Build Sandbox Image". The image of our own examples can also be made where no image registry answers: from
 * Debian packages, by the set-up script that stands beside the bundles in the repository.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type BuiltImage, obtainImage } from "../adapters/docker/build.ts";
import { ExitError } from "../core/errors.ts";
import type { ResolvedTask } from "../core/ports.ts";

const ownImage = "exit-ml/python:local";

/** @throws ExitError `image-build-failed` and those of the engine. */
export async function buildImage(
  task: ResolvedTask,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const { sandbox } = task.definition;
  const script = join(dirname(process.argv[1] ?? ""), "..", "scripts", "setup", "sandbox-image.mjs");
  if (sandbox.image === ownImage && existsSync(script)) await runScript(script, progress, signal);
  return obtainImage(task.definition, progress, signal);
}

async function runScript(
  script: string,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(process.execPath, [script], { signal, stdio: ["ignore", "ignore", "pipe"] });
  let last = "";
  createInterface({ input: child.stderr }).on("line", (line) => {
    last = line;
    progress(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  signal.throwIfAborted();
  if (code !== 0)
    throw new ExitError("image-build-failed", last || `The image ${ownImage} could not be made.`);
}
