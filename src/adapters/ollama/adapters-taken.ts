/** Which servers serve which models with an adapter over their weights. */
import type { ShowResponse } from "ollama";
import { ExitError } from "../../core/errors.ts";
import { blobDigest, filesOf } from "./modelfile.ts";
import type { Server } from "./server.ts";

/** Removed by ollama/ollama#14969. */
const removedIn = [0, 34, 1];
/** Before ollama/ollama#16031, Ollama ran most newer models by an engine of its own, which has no adapters. */
const allIn = [0, 30, 0];
const before: ReadonlySet<unknown> = new Set(["llama", "qwen2"]);

/**
 * @returns digest of the weights an adapter can go over
 * @throws ExitError `adapter-refused`
 */
export async function checkTakesAdapters(
  server: Server,
  model: string,
  shown: ShowResponse,
  signal: AbortSignal,
): Promise<string> {
  const { version } = await server.ask((client) => client.version(), signal);
  if (!isBefore(version, removedIn)) throw refused(`Ollama ${version} serves no adapters any more`);
  const architecture: unknown = new Map(Object.entries(shown.model_info)).get("general.architecture");
  if (isBefore(version, allIn) && !before.has(architecture))
    throw refused(`Ollama ${version} serves no adapters for models of the architecture ${architecture}`);
  const { weights, adapters } = filesOf(shown.modelfile);
  const digest = blobDigest(weights[0] ?? "");
  if (digest === null || adapters.length > 0)
    throw refused(`Ollama puts no adapter over "${model}", which has one already or is no GGUF file`);
  return digest;
}

function isBefore(version: string, limit: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  const at = limit.findIndex((number, place) => parts[place] !== number);
  return at >= 0 && (parts[at] ?? 0) < (limit[at] ?? 0);
}

function refused(fault: string): ExitError {
  return new ExitError("adapter-refused", `${fault}. Train in the form merged instead.`);
}
