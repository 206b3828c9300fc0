/** The models a server holds in memory. */
import { RequestFailed, type Server } from "./server.ts";

/** Milliseconds: a question the server answers without a model. */
const longestAnswer = 60_000;

export interface Running {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes of it on a GPU. */
  readonly size_vram: number;
  readonly expires_at: Date | string;
  readonly context_length?: number;
}

export async function listRunning(server: Server, signal: AbortSignal): Promise<readonly Running[]> {
  const limit = AbortSignal.timeout(longestAnswer);
  try {
    const { models } = await server.ask((client) => client.ps(), AbortSignal.any([signal, limit]));
    return models;
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    throw new RequestFailed(server.endpoint, "it does not say which models it holds", null, { cause: error });
  }
}

/** How long the server still keeps it: Infinity for good, null where it does not say. */
export function secondsKept({ expires_at }: Pick<Running, "expires_at">): number | null {
  const seconds = Math.round((new Date(expires_at ?? Number.NaN).getTime() - Date.now()) / 1000);
  if (!Number.isFinite(seconds)) return null;
  return seconds < 1e8 ? Math.max(0, seconds) : Number.POSITIVE_INFINITY;
}
