/** Embeddings of texts by a model of the server. A text that does not fit the model is refused, never cut. */
import { ExitError } from "../../core/errors.ts";
import type { Embeddings, Sha256 } from "../../core/ports.ts";
import { isTooLong } from "./loaded-model.ts";
import { readDigest } from "./model-facts.ts";
import { RequestFailed, type Server, whenNotBusy } from "./server.ts";

export interface EmbedRequest {
  readonly model: string;
  readonly texts: readonly string[];
  /** With which the model is loaded already, so that it is not loaded anew; empty: as the server has it. */
  readonly options: Readonly<Record<string, number>>;
}

/**
 * @throws ExitError `embedding-too-long`, `model-missing`, `model-remote`, `model-unsuitable`, `ollama-failed`,
 *   `ollama-unreachable`.
 */
export async function embedTexts(
  server: Server,
  { model, texts, options }: EmbedRequest,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<Embeddings> {
  const digest = await readDigest(server, model, sha256, signal);
  const request = { model, input: [...texts], truncate: false, options };
  try {
    const embed = () => server.ask((client) => client.embed(request), signal);
    const { embeddings } = await whenNotBusy(embed, signal);
    return { digest, vectors: embeddings };
  } catch (error) {
    if (isTooLong(error))
      throw new ExitError(
        "embedding-too-long",
        `A solution is longer than the embedding model "${model}" can read.`,
        { cause: error },
      );
    if (error instanceof RequestFailed && /does not support embeddings/.test(error.answer))
      throw new ExitError(
        "model-unsuitable",
        `The model "${model}" embeds no texts. Set embeddingModel to an embedding model, or leave it out.`,
        { cause: error },
      );
    throw error;
  }
}
