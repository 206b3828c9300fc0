/** Has the server load the model, and finds out by measurement what it does not tell. */
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import type { GenerateResponse } from "ollama";
import { ExitError } from "../../core/errors.ts";
import { type ModelFacts, missing, withTag } from "./model-facts.ts";
import { measureParallel } from "./parallel.ts";
import { type Loading, rawRequest } from "./raw-request.ts";
import { listRunning, type Running, secondsKept } from "./running.ts";
import { RequestFailed, type Server, whenNotBusy } from "./server.ts";

export interface LoadedModel {
  readonly loading: Loading;
  /** What the server gives, at most what it was asked for. */
  readonly contextLength: number;
  readonly addsBos: boolean;
  readonly parallel: number;
  /** Null where the server does not say. */
  readonly gpuShare: number | null;
  /** The server counts all tokens of a prompt, also those it still had in memory. */
  readonly countsAll: boolean;
  readonly warnings: readonly string[];
  /** How long the server kept the model when we came, as `keep_alive` takes it; null if that was not changed. */
  readonly keptBefore: string | null;
}

/** Sent with our requests: between two groups, replies may be scored for minutes. */
const keepAliveSeconds = 30 * 60;
const mostParallel = 8;
const probe = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,";
const probeTokens = 12;

/** @throws ExitError `model-memory`, `model-missing`, `ollama-failed`, `ollama-unreachable`. */
export async function loadModel(
  server: Server,
  facts: ModelFacts,
  contextLength: number,
  signal: AbortSignal,
): Promise<LoadedModel> {
  const asIs: Loading = { model: facts.name, contextLength, threads: null, keepAlive: null };
  // A prompt the server cannot have in memory, so that the first count is of all its tokens.
  const fresh = `${randomInt(1e9)} ${probe}`;
  const first = await evaluate(server, asIs, fresh, signal);
  const running = await findRunning(server, facts.name, signal);
  const kept = running === null ? null : secondsKept(running);
  const raises = kept !== null && kept < keepAliveSeconds;
  const granted = running?.context_length ?? contextLength;
  const gpuShare =
    running === null || running.size <= 0 ? null : Math.min(1, running.size_vram / running.size);
  const loading = {
    ...asIs,
    threads: gpuShare === 0 && server.endpoint.isLocal && !facts.setsThreads ? threadsBesideOthers() : null,
    keepAlive: raises ? `${keepAliveSeconds}s` : null,
  };
  if (loading.threads !== null) await evaluate(server, loading, fresh, signal);
  const again = await evaluate(server, loading, fresh, signal);

  let givesLogprobs = true;
  const parallel = await measureParallel(async function* (seed) {
    const request = rawRequest(loading, { prompt: probe, seed, maxTokens: probeTokens, schema: null });
    for await (const chunk of server.generate(request, signal)) {
      if (chunk.response && !chunk.logprobs?.length) givesLogprobs = false;
      yield chunk;
    }
  }, mostParallel);

  const countsAll = (again.prompt_eval_count ?? 0) >= (first.prompt_eval_count ?? 0);
  return {
    loading,
    contextLength: Math.min(contextLength, granted),
    addsBos: facts.addsBos ?? (await addsBos(server, loading, facts.bosToken, signal)),
    parallel,
    gpuShare,
    countsAll,
    keptBefore: raises ? `${kept}s` : null,
    warnings: [
      ...gpuWarnings(gpuShare),
      ...(granted < contextLength
        ? [`The server gives the model a context of ${granted} tokens; ${contextLength} were asked for.`]
        : []),
      ...(givesLogprobs
        ? []
        : [
            "This Ollama gives no log-probabilities, so replies cannot be trained on. Update it to 0.12.11 or later.",
          ]),
      ...(countsAll
        ? []
        : [
            "This Ollama leaves cached tokens out of its counts, so the length of prompts is estimated. Update it.",
          ]),
    ],
  };
}

/**
 * The threads of the server wait for each other at every step, so one that has to share its core holds up all of
 * them: measured on two cores while other programs ran, 2 threads gave 2 tokens a second and 1 thread 25. Sandboxes
 * score replies while the next ones are sampled, so half of the logical cores is left to them.
 */
function threadsBesideOthers(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2));
}

/** Evaluates a prompt for its numbers alone: the chunk that ends the reply. */
export function evaluate(
  server: Server,
  loading: Loading,
  prompt: string,
  signal: AbortSignal,
): Promise<Partial<GenerateResponse>> {
  const request = rawRequest(loading, { prompt, seed: 1, maxTokens: 1, schema: null });
  const attempt = async () => {
    for await (const chunk of server.generate(request, signal)) if (chunk.done) return chunk;
    return {};
  };
  return whenNotBusy(attempt, signal).catch(async (error: unknown) => {
    throw await meaningFor(error, server, loading.model, signal);
  });
}

/** What the failure of a request means for its model. */
export async function meaningFor(
  error: unknown,
  server: Server,
  model: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof RequestFailed)) return error;
  if (error.status === 404) return missing(server, model, signal);
  if (/requires more system memory|out of memory|unable to allocate/i.test(error.answer))
    return new ExitError(
      "model-memory",
      `Ollama cannot load "${model}" (${error.answer}). Choose a smaller model or a shorter context.`,
      { cause: error },
    );
  return error;
}

/** The server's answer to a prompt longer than the context, in its various versions. */
export function isTooLong(error: unknown): boolean {
  return (
    error instanceof RequestFailed &&
    error.status !== null &&
    /exceeds the (available )?context|exceed_context_size|input length/i.test(error.answer)
  );
}

async function findRunning(server: Server, name: string, signal: AbortSignal): Promise<Running | null> {
  const models = await listRunning(server, signal);
  return models.find((model) => withTag(model.name) === name) ?? null;
}

/** Special tokens are read as such: the begin token alone is one token, unless the server adds its own. */
async function addsBos(
  server: Server,
  loading: Loading,
  bosToken: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (bosToken === "") return false;
  const { prompt_eval_count: count = 1 } = await evaluate(server, loading, bosToken, signal);
  return count > 1;
}

function gpuWarnings(share: number | null): string[] {
  if (share === 0) return ["The model runs on the CPU: Ollama found no GPU it can use."];
  if (share !== null && share < 1)
    return [`Only ${Math.round(share * 100)} % of the model is on the GPU; the rest runs on the CPU.`];
  return [];
}
