/** The calls to an Ollama server, each ended by its signal, and what their failures mean. */
import { setTimeout as delay } from "node:timers/promises";
import { type GenerateRequest, type GenerateResponse, Ollama } from "ollama";
import { ExitError, isExitError, messageOf } from "../../core/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { patientFetch } from "./patient-fetch.ts";

/** What an answer says beyond the types of the library: models that the server only forwards to. */
interface Remote {
  readonly remote_host?: string;
}

/** Fields of a request that the library passes on and its types do not know. */
interface MoreOfRequest {
  /** Refuse a prompt that is too long instead of cutting it. */
  readonly truncate: false;
  /** End a reply that reaches the end of the context instead of forgetting its beginning. */
  readonly shift: false;
}

export interface Server {
  readonly endpoint: Endpoint;
  /** Runs calls; their failures come out as `RequestFailed`, `ollama-unreachable`, or the signal's reason. */
  ask<T>(work: (client: Ollama) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Sends a request the library does not know. @returns the answer, whatever its status. Fails as `ask` does. */
  send(path: string, request: RequestInit, signal: AbortSignal): Promise<Response>;
  /** Streams an answer; ends after the chunk that is `done`. Fails as `ask` does. */
  generate(
    request: GenerateRequest & MoreOfRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateResponse, void>;
}

/** A request the server answered with an error, or whose answer broke off. */
export class RequestFailed extends ExitError {
  /** The server's own words. */
  readonly answer: string;
  /** HTTP status; null if the answer had begun, or the connection broke. */
  readonly status: number | null;

  constructor({ place }: Endpoint, answer: string, status: number | null, options?: ErrorOptions) {
    const sentence = /[.!?]$/.test(answer) ? answer : `${answer}.`;
    super(
      "ollama-failed",
      `The Ollama server at ${place} failed: ${sentence} Its own log says more.`,
      options,
    );
    this.answer = answer;
    this.status = status;
  }
}

/**
 * Milliseconds in which a server that holds replies of ours says nothing of any of them before it counts as stuck: more
 * than a large model takes to load and a long prompt to be read on a CPU.
 */
const longestSilence = 60 * 60_000;
/** How often in that time it is looked whether something came. */
const looks = 60;

/** Milliseconds between attempts while the server's queue is full. */
const backOff = [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];

/** Does the work again, after a while, as long as the server is too busy to take it. */
export async function whenNotBusy<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const wait of backOff) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.status !== 503) throw error;
      await delay(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
  return work();
}

export function connect(endpoint: Endpoint, silence = longestSilence): Server {
  /** Chunks that came, of any reply. */
  let heard = 0;
  const clientFor = (signal: AbortSignal) => new Ollama({ host: endpoint.url, fetch: patientFetch(signal) });
  const failed = (error: unknown, signal: AbortSignal): unknown =>
    signal.aborted ? signal.reason : meaningOf(error, endpoint);
  return {
    endpoint,
    async ask(work, signal) {
      signal.throwIfAborted();
      try {
        return await work(clientFor(signal));
      } catch (error) {
        throw failed(error, signal);
      }
    },
    async send(path, request, signal) {
      signal.throwIfAborted();
      try {
        return await patientFetch(signal)(`${endpoint.url}${path}`, request);
      } catch (error) {
        throw failed(error, signal);
      }
    },
    async *generate(request, signal) {
      signal.throwIfAborted();
      // Ends the request when the caller stops listening, or the server is stuck.
      const stopping = new AbortController();
      let known = heard;
      let silent = 0;
      // Not by the clock, which may go on while the machine sleeps.
      const watch = setInterval(() => {
        // A reply may wait long for the others of its group; then these are heard of.
        silent = heard === known ? silent + 1 : 0;
        known = heard;
        if (silent === looks) stopping.abort(stuck(endpoint, silence));
      }, silence / looks);
      try {
        const client = clientFor(AbortSignal.any([signal, stopping.signal]));
        for await (const chunk of await client.generate({ ...request, stream: true })) {
          heard++;
          yield chunk;
        }
      } catch (error) {
        throw stopping.signal.aborted ? stopping.signal.reason : failed(error, signal);
      } finally {
        clearInterval(watch);
        stopping.abort();
      }
    },
  };
}

function stuck(endpoint: Endpoint, silence: number): RequestFailed {
  return new RequestFailed(endpoint, `it has sent nothing for ${Math.round(silence / 60_000)} minutes`, null);
}

/** The machine a model really runs on, where the server only forwards to it, else null. */
export function remoteHost(model: object): string | null {
  return (model as Remote).remote_host || null;
}

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EAI_AGAIN",
]);

function meaningOf(error: unknown, endpoint: Endpoint): unknown {
  const { place, isLocal } = endpoint;
  if (isExitError(error)) return error;
  const { code, status_code: status } = error as { code?: unknown; status_code?: unknown };
  if (typeof status === "number")
    return new RequestFailed(endpoint, messageOf(error), status, { cause: error });
  if (typeof code === "string" && unreachable.has(code))
    return new ExitError(
      "ollama-unreachable",
      isLocal
        ? `No Ollama answers at ${place}. Start it with: ollama serve.`
        : `No Ollama answers at ${place}. Start it there with OLLAMA_HOST=0.0.0.0 ollama serve, or check the address.`,
      { cause: error },
    );
  return new RequestFailed(endpoint, messageOf(error), null, { cause: error });
}
