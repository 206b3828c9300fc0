/** The one form in which text is sent to be continued: unchanged, at training options, never cut. */
import type { GenerateRequest } from "ollama";

/** Sent alike with every request: a change of context or threads makes the server load the model anew. */
export interface Loading {
  readonly model: string;
  readonly contextLength: number;
  /** Null: as many as the server likes. */
  readonly threads: number | null;
  /** How long the server keeps the model after the request; null leaves it as it is. */
  readonly keepAlive: string | null;
}

export interface Continuation {
  readonly prompt: string;
  readonly seed: number;
  readonly maxTokens: number;
  readonly schema: Readonly<Record<string, unknown>> | null;
}

export function rawRequest(loading: Loading, { prompt, seed, maxTokens, schema }: Continuation) {
  const request: GenerateRequest = {
    model: loading.model,
    prompt,
    raw: true,
    // Else the server takes the text apart by the tags of the model's thinking.
    think: false,
    logprobs: true,
    options: {
      ...loadOptions(loading),
      num_predict: maxTokens,
      seed: runtimeSeed(seed),
      temperature: 1,
      top_k: 0,
      top_p: 1,
      min_p: 0,
      repeat_penalty: 1,
      repeat_last_n: 0,
      presence_penalty: 0,
      frequency_penalty: 0,
      stop: [],
    },
  };
  if (loading.keepAlive !== null) request.keep_alive = loading.keepAlive;
  if (schema !== null) request.format = schema;
  return { ...request, truncate: false as const, shift: false as const };
}

export function loadOptions({ contextLength, threads }: Loading) {
  return { num_ctx: contextLength, ...(threads === null ? {} : { num_thread: threads }) };
}

/** The runtime reads 32 bits of a seed, and takes the greatest of them for "any seed". */
function runtimeSeed(seed: number): number {
  return seed % 0xffffffff;
}
