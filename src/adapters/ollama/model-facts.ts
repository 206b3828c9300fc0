/** What is known of a model before it is loaded: from the server, and from the header of its file if it is here. */
import { access, constants } from "node:fs/promises";
import { gguf } from "@huggingface/gguf";
import type { ShowResponse } from "ollama";
import { ExitError } from "../../core/errors.ts";
import type { Sha256 } from "../../core/ports.ts";
import { filesOf, weightsDigest } from "./modelfile.ts";
import { RequestFailed, remoteHost, type Server } from "./server.ts";

export interface ModelFacts {
  /** Name with its tag. */
  readonly name: string;
  /** Of the weights: the SHA-256 of the model file, where there is no adapter beside it. */
  readonly digest: string;
  /** Jinja source of the chat template in the model file; null where that cannot be read or has none. */
  readonly template: string | null;
  readonly templateDigest: string;
  /** Empty where the model has none. */
  readonly bosToken: string;
  readonly eosToken: string;
  /** Does the server put a begin token before every prompt? Null where the model does not say. */
  readonly addsBos: boolean | null;
  /** Tokens of the context it was trained with; null where the model does not say. */
  readonly trainedLength: number | null;
  /** Its description says how many threads evaluate it on a CPU. */
  readonly setsThreads: boolean;
  readonly quantisation: string | null;
  readonly license: string | null;
}

type Metadata = Readonly<Record<string, unknown>>;

/** @throws ExitError `model-missing`, `model-remote`, `model-unsuitable`, `ollama-unreachable`. */
export async function readModelFacts(
  server: Server,
  model: string,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<ModelFacts> {
  const shown = await showLocal(server, model, signal);
  if (shown.capabilities !== undefined && !shown.capabilities.includes("completion"))
    throw new ExitError(
      "model-unsuitable",
      `The model "${model}" cannot write text (it can: ${shown.capabilities.join(", ")}). Choose an instruct model.`,
    );
  const header = server.endpoint.isLocal ? await readHeader(filesOf(shown.modelfile).weights[0]) : null;
  // Only on demand does the server list the vocabulary, which names the special tokens; the template it keeps.
  const info = header ?? metadataOf(await show(server, model, true, signal));
  const template = text(header?.["tokenizer.chat_template"]);
  const tokens = info["tokenizer.ggml.tokens"];
  const special = (kind: string) => {
    const id = whole(info[`tokenizer.ggml.${kind}_token_id`]);
    return id !== null && Array.isArray(tokens) ? (text(tokens[id]) ?? "") : "";
  };
  const addsBos = info["tokenizer.ggml.add_bos_token"];
  const firstLine = shown.license?.split("\n").find((line) => line.trim() !== "");
  return {
    name: withTag(model),
    digest: await digestOf(server, model, shown, sha256, signal),
    template,
    templateDigest: sha256(template ?? shown.template ?? ""),
    bosToken: special("bos"),
    eosToken: special("eos"),
    addsBos: typeof addsBos === "boolean" ? addsBos : null,
    trainedLength: whole(info[`${text(info["general.architecture"])}.context_length`]),
    setsThreads: /^num_thread\s/m.test(shown.parameters ?? ""),
    quantisation: shown.details?.quantization_level || null,
    license: text(info["general.license"]) ?? (firstLine ? firstLine.trim().slice(0, 80) : null),
  };
}

/** Digest of a model's weights. @throws ExitError `model-missing`, `model-remote`, `ollama-unreachable`. */
export async function readDigest(
  server: Server,
  model: string,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<string> {
  return digestOf(server, model, await showLocal(server, model, signal), sha256, signal);
}

async function digestOf(
  server: Server,
  model: string,
  { modelfile }: ShowResponse,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<string> {
  return weightsDigest(modelfile, sha256) ?? (await manifestDigest(server, model, signal));
}

/**
 * What the server says of a model that runs there itself.
 * @throws ExitError `model-missing`, `model-remote`, `ollama-unreachable`.
 */
export async function showLocal(server: Server, model: string, signal: AbortSignal): Promise<ShowResponse> {
  const shown = await show(server, model, false, signal);
  const host = remoteHost(shown);
  if (host === null) return shown;
  throw new ExitError(
    "model-remote",
    `The model "${model}" runs on ${host}, not on your Ollama server: your code would be sent there. Choose a model that runs locally.`,
  );
}

/** A name without a tag means the tag `latest`. */
export function withTag(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1).includes(":") ? model : `${model}:latest`;
}

async function show(
  server: Server,
  model: string,
  verbose: boolean,
  signal: AbortSignal,
): Promise<ShowResponse> {
  try {
    const request = { model, verbose };
    return await server.ask((client) => client.show(request), signal);
  } catch (error) {
    if (error instanceof RequestFailed && (error.status === 404 || error.status === 400))
      throw await missing(server, model, signal);
    throw error;
  }
}

export async function missing(server: Server, model: string, signal: AbortSignal): Promise<ExitError> {
  const { models } = await server.ask((client) => client.list(), signal);
  const names = models.map(({ name }) => name).sort();
  const there = names.length > 0 ? `There are: ${names.join(", ")}.` : "It has no model yet.";
  return new ExitError(
    "model-missing",
    `The Ollama server at ${server.endpoint.place} has no model "${model}". Fetch it with: ollama pull ${model}. ${there}`,
  );
}

async function manifestDigest(server: Server, model: string, signal: AbortSignal): Promise<string> {
  const { models } = await server.ask((client) => client.list(), signal);
  const digest = models.find(({ name }) => name === withTag(model))?.digest.replace(/^sha256:/, "");
  if (digest === undefined) throw await missing(server, model, signal);
  return digest;
}

/** The metadata at the head of a model file, or null where it is not to be read from here. */
export async function readHeader(path: string | undefined): Promise<Metadata | null> {
  if (path === undefined) return null;
  try {
    await access(path, constants.R_OK);
    const { metadata } = await gguf(path, { allowLocalFile: true });
    return Object.fromEntries(Object.entries(metadata));
  } catch {
    return null;
  }
}

function metadataOf(shown: ShowResponse): Metadata {
  return Object.fromEntries(Object.entries(shown.model_info ?? {}));
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** The file's 64-bit numbers are read as bigint. */
function whole(value: unknown): number | null {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
}
