/** Puts a tuned model beside its base on the server, described as the base is. */
import type { CreateRequest, ShowResponse } from "ollama";
import { ExitError } from "../../core/errors.ts";
import type { Sha256 } from "../../core/ports.ts";
import type { ServedAs, TunedForm } from "../../core/tuning/tuned-model.ts";
import { checkTakesAdapters } from "./adapters-taken.ts";
import { type Description, descriptionOf, differences, requestOf } from "./description.ts";
import { installedName } from "./installed-name.ts";
import { showLocal } from "./model-facts.ts";
import { weightsDigest } from "./modelfile.ts";
import { deleteModel, foreign, shownIfThere } from "./remove-model.ts";
import type { Server } from "./server.ts";
import { fileDigest, uploadBlob } from "./upload.ts";

export interface Tuned {
  /** Name of the model it was tuned from. */
  readonly base: string;
  readonly id: string;
  readonly file: string;
  readonly form: TunedForm;
}

/** What of a request says where the weights come from; `files` is unknown to the types of the library. */
type Source = Pick<CreateRequest, "from" | "adapters"> & {
  readonly files?: Readonly<Record<string, string>>;
};

/**
 * A model that is there already as it should be is left as it is.
 * @throws ExitError `model-unreadable`, `model-missing`, `model-remote`, `model-foreign`, `install-failed`,
 *   `ollama-failed`, `ollama-unreachable`; of an adapter `adapter-refused` where server or model take none.
 */
export async function installTuned(
  server: Server,
  tuned: Tuned,
  sha256: Sha256,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<ServedAs> {
  const base = await showLocal(server, tuned.base, signal);
  const isAdapter = tuned.form === "adapter";
  const weights = isAdapter ? await checkTakesAdapters(server, tuned.base, base, signal) : null;
  const file = await fileDigest(tuned.file, signal);
  const wanted = descriptionOf(base);
  const make = async (model: string) => {
    await uploadBlob(server, tuned.file, file, say, signal);
    say(`Ollama makes the model ${model}.`);
    // The description of a model comes with `from`; beside `files` it is sent.
    if (isAdapter)
      await create(
        server,
        model,
        { from: tuned.base, adapters: { "adapter.gguf": `sha256:${file}` } },
        {},
        signal,
      );
    else
      await create(server, model, { files: { "tuned.gguf": `sha256:${file}` } }, requestOf(wanted), signal);
  };
  const digest = weights === null ? file : sha256(`${weights}\n${file}`);
  return ensure(server, tuned, { digest, wanted, make }, sha256, signal);
}

interface Making {
  readonly digest: string;
  readonly wanted: Description;
  readonly make: (model: string) => Promise<void>;
}

/** Makes the model unless it is there, and makes sure of it. */
async function ensure(
  server: Server,
  { base, id }: Tuned,
  { digest, wanted, make }: Making,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<ServedAs> {
  const model = installedName(base, id, digest);
  const faultsOf = (shown: ShowResponse): readonly string[] => [
    ...(weightsDigest(shown.modelfile, sha256) === digest ? [] : ["weights"]),
    ...differences(wanted, descriptionOf(shown)),
  ];
  const before = await shownIfThere(server, model, signal);
  const faults = before === null ? null : faultsOf(before);
  if (faults?.length === 0) return { model, digest, adapter: null };
  if (faults?.includes("weights")) throw foreign(base, model);

  await make(model);
  const left = faultsOf(await showLocal(server, model, signal));
  if (left.length === 0) return { model, digest, adapter: null };
  await deleteModel(server, model, signal);
  throw new ExitError(
    "install-failed",
    `Ollama made the model "${model}" with other ${left.join(", ")} than it was given from "${base}", so it was removed again. Update Ollama, then fine-tune again; it goes on with this step.`,
  );
}

async function create(
  server: Server,
  model: string,
  source: Source,
  { messages, ...fields }: Partial<Description>,
  signal: AbortSignal,
): Promise<void> {
  const described = { ...fields, ...(messages && { messages: [...messages] }) };
  const request = { model, ...source, ...described, stream: false as const };
  await server.ask((client) => client.create(request), signal);
}
