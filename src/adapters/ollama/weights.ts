/** The file behind a model of a server on this machine. */
import { access, constants } from "node:fs/promises";
import { ExitError, messageOf } from "../../core/errors.ts";
import { readHeader, showLocal } from "./model-facts.ts";
import { blobDigest, filesOf } from "./modelfile.ts";
import type { Server } from "./server.ts";

export interface Weights {
  /** Absolute path. */
  readonly file: string;
  readonly digest: string;
}

/** @throws ExitError `model-missing`, `model-remote`, `model-unsuitable`, `ollama-unreachable`. */
export async function findWeights(server: Server, model: string, signal: AbortSignal): Promise<Weights> {
  const { modelfile } = await showLocal(server, model, signal);
  if (!server.endpoint.isLocal)
    throw new ExitError(
      "model-remote",
      `The weights of "${model}" are on another machine (${server.endpoint.place}), and training reads them. Run ExIt ML there, or fetch the model here with: ollama pull ${model}.`,
    );
  const { weights, adapters } = filesOf(modelfile);
  const [file = "", ...more] = weights;
  if (adapters.length > 0)
    throw unsuitable(
      model,
      "has an adapter over its weights",
      "Choose the model it was made from, or one with the adapter merged into its weights",
    );
  if (more.length > 0)
    throw unsuitable(
      model,
      "is made of several files (it reads images too, or its weights are split)",
      "Choose a text model whose weights are one file",
    );
  const digest = blobDigest(file);
  if (digest === null)
    throw unsuitable(model, "is not served from a GGUF file", "Choose a model in the GGUF format");
  await checkReadable(model, file);
  const header = await readHeader(file);
  if (header === null)
    throw unsuitable(model, `is not served from a GGUF file (${file})`, "Choose a model in the GGUF format");
  if (Number(header["split.count"] ?? 1) > 1)
    throw unsuitable(
      model,
      "has its weights split over several files",
      "Choose one whose weights are one file",
    );
  return { file, digest };
}

async function checkReadable(model: string, file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw new ExitError(
      "model-unsuitable",
      `The weights of "${model}" cannot be read: ${messageOf(error)}. Give yourself the right to read them (where Ollama is a service of Linux: sudo usermod -aG ollama $USER, then log in again); where Ollama runs in a container, keep its models in a folder of this machine at the same path.`,
      { cause: error },
    );
  }
}

function unsuitable(model: string, fault: string, mend: string): ExitError {
  return new ExitError(
    "model-unsuitable",
    `The model "${model}" ${fault}, so it cannot be trained. ${mend}.`,
  );
}
