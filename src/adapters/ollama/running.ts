/** The models a server holds in memory. */
import type { Server } from "./server.ts";

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
  const { models } = await server.ask((client) => client.ps(), signal);
  return models;
}

/** How long the server still keeps it: Infinity for good, null where it does not say. */
export function secondsKept({ expires_at }: Pick<Running, "expires_at">): number | null {
  const seconds = Math.round((new Date(expires_at ?? Number.NaN).getTime() - Date.now()) / 1000);
  if (!Number.isFinite(seconds)) return null;
  return seconds < 1e8 ? Math.max(0, seconds) : Number.POSITIVE_INFINITY;
}
