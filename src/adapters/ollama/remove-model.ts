/** Takes an installed model away again, and never another one. */
import type { ShowResponse } from "ollama";
import { ExitError, isExitError } from "../../core/errors.ts";
import type { Sha256 } from "../../core/ports.ts";
import { digestInName } from "./installed-name.ts";
import { showLocal } from "./model-facts.ts";
import { weightsDigest } from "./modelfile.ts";
import { RequestFailed, type Server } from "./server.ts";
import { askToUnload } from "./unload.ts";

/** @throws ExitError `model-foreign` for a model that was not installed here; `ollama-failed`, `ollama-unreachable`. */
export async function removeModel(
  server: Server,
  base: string,
  model: string,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<void> {
  const beginning = digestInName(base, model);
  if (beginning === null) throw foreign(base, model);
  const shown = await shownIfThere(server, model, signal);
  if (shown === null) return;
  if (!weightsDigest(shown.modelfile, sha256)?.startsWith(beginning)) throw foreign(base, model);
  await deleteModel(server, model, signal);
}

/** Null where there is no such model. */
export async function shownIfThere(
  server: Server,
  model: string,
  signal: AbortSignal,
): Promise<ShowResponse | null> {
  try {
    return await showLocal(server, model, signal);
  } catch (error) {
    if (isExitError(error, "model-missing")) return null;
    throw error;
  }
}

/** Unloaded first: by a name that is gone, its memory cannot be had back. */
export async function deleteModel(server: Server, model: string, signal: AbortSignal): Promise<void> {
  try {
    await askToUnload(server, model, signal);
    await server.ask((client) => client.delete({ model }), signal);
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.status !== 404) throw error;
  }
}

export function foreign(base: string, model: string): ExitError {
  return new ExitError(
    "model-foreign",
    `The model "${model}" was not installed by ExIt ML from "${base}", so it stays. To remove it all the same: ollama rm ${model}.`,
  );
}
