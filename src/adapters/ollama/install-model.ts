/** Puts tuned weights beside their base on the server, described as the base is; and takes them away again. */
import type { CreateRequest, ShowResponse } from "ollama";
import { ExitError, isExitError } from "../../core/errors.ts";
import type { Sha256 } from "../../core/ports.ts";
import { type Description, descriptionOf, differences, requestOf } from "./description.ts";
import { digestInName, installedName } from "./installed-name.ts";
import { showLocal } from "./model-facts.ts";
import { weightsDigest } from "./modelfile.ts";
import { RequestFailed, type Server } from "./server.ts";
import { askToUnload } from "./unload.ts";
import { fileDigest, uploadBlob } from "./upload.ts";

export interface Tuned {
  /** Name of the model it was tuned from. */
  readonly base: string;
  readonly id: string;
  readonly file: string;
}

/**
 * A model that is there already as it should be is left as it is.
 * @throws ExitError `model-unreadable`, `model-missing`, `model-remote`, `model-foreign`, `install-failed`,
 *   `ollama-failed`, `ollama-unreachable`.
 */
export async function installModel(
  server: Server,
  { base, id, file }: Tuned,
  sha256: Sha256,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<{ readonly model: string; readonly digest: string }> {
  const wanted = descriptionOf(await showLocal(server, base, signal));
  const digest = await fileDigest(file, signal);
  const model = installedName(base, id, digest);
  const faultsOf = (shown: ShowResponse): readonly string[] => [
    ...(weightsDigest(shown.modelfile, sha256) === digest ? [] : ["weights"]),
    ...differences(wanted, descriptionOf(shown)),
  ];
  const before = await shownIfThere(server, model, signal);
  const faults = before === null ? null : faultsOf(before);
  if (faults?.length === 0) return { model, digest };
  if (faults?.includes("weights")) throw foreign(base, model);

  await uploadBlob(server, file, digest, say, signal);
  say(`Ollama makes the model ${model}.`);
  await create(server, { model, files: { "tuned.gguf": `sha256:${digest}` } }, wanted, signal);
  const left = faultsOf(await showLocal(server, model, signal));
  if (left.length === 0) return { model, digest };
  await deleteModel(server, model, signal);
  throw new ExitError(
    "install-failed",
    `Ollama made the model "${model}" with other ${left.join(", ")} than it was given from "${base}", so it was removed again. Update Ollama, then fine-tune again; it goes on with this step.`,
  );
}

/** @throws ExitError `model-foreign` for a model that was not installed here; `ollama-failed`, `ollama-unreachable`. */
export async function removeModel(
  server: Server,
  base: string,
  model: string,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<void> {
  const beginning = digestInName(base, model);
  const shown = beginning === null ? null : await shownIfThere(server, model, signal);
  if (beginning !== null && shown === null) return;
  const digest = shown === null ? null : weightsDigest(shown.modelfile, sha256);
  if (beginning === null || !digest?.startsWith(beginning)) throw foreign(base, model);
  await deleteModel(server, model, signal);
}

function foreign(base: string, model: string): ExitError {
  return new ExitError(
    "model-foreign",
    `The model "${model}" was not installed by ExIt ML from "${base}", so it stays. To remove it all the same: ollama rm ${model}.`,
  );
}

async function shownIfThere(
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
async function deleteModel(server: Server, model: string, signal: AbortSignal): Promise<void> {
  try {
    await askToUnload(server, model, signal);
    await server.ask((client) => client.delete({ model }), signal);
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.status !== 404) throw error;
  }
}

/** `files` is unknown to the types of the library, which passes it on. */
async function create(
  server: Server,
  source: { readonly model: string; readonly files: Readonly<Record<string, string>> },
  description: Description,
  signal: AbortSignal,
): Promise<void> {
  const { messages, ...fields } = requestOf(description);
  const request: CreateRequest = { ...source, ...fields, ...(messages && { messages: [...messages] }) };
  await server.ask((client) => client.create({ ...request, stream: false }), signal);
}
