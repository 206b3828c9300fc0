/** Where the real runtime and the small real model are: brought by `scripts/setup/setup.mjs`. */
import { homedir } from "node:os";
import { join } from "node:path";
import { createEmbeddedPolicy, type EmbeddedOptions } from "../../../src/adapters/embedded/policy.ts";
import { renderChat } from "../../../src/adapters/template/render.ts";

const cache = process.env.EXIT_ML_CACHE || join(homedir(), ".cache", "exit-ml");

export const runtimeFolder = join(cache, "embedded");
export const model = join(cache, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

/** The real policy with a short context, on the CPU. */
export function openEmbedded(options: Partial<EmbeddedOptions> = {}) {
  return createEmbeddedPolicy({
    model,
    runtimeFolder,
    renderChat,
    gpu: false,
    contextLength: 1024,
    ...options,
  });
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
