/** Draws the replies of a group: one streamed request each, all at once; the server takes as many as it can. */
import { isExitError } from "../../core/errors.ts";
import type { SampledReply } from "../../core/history.ts";
import type { SampleOptions } from "../../core/ports.ts";
import { type Loading, rawRequest } from "./raw-request.ts";
import { createReplyReader, type ReadReply } from "./reply-reader.ts";
import { type Server, whenNotBusy } from "./server.ts";

export interface Member {
  readonly index: number;
  readonly seed: number;
}

export interface GroupRequest extends SampleOptions {
  readonly loading: Loading;
  /** As it is sent. */
  readonly prompt: string;
  readonly members: readonly Member[];
  readonly constrained: string | null;
}

interface Drawn {
  readonly reply: SampledReply;
  /** The server has worked on it. */
  readonly begun: boolean;
  /** Why it was lost. */
  readonly failure: unknown;
}

/**
 * Yields each reply as it ends, a lost one with finish `lost`.
 * @throws what the first request failed with, if none of them brought anything: then it is not the replies.
 */
export async function* sampleGroup(
  server: Server,
  request: GroupRequest,
  signal: AbortSignal,
): AsyncGenerator<SampledReply, void> {
  const stopping = new AbortController();
  const within = AbortSignal.any([signal, stopping.signal]);
  const drawing = new Map(
    request.members.map((member) => [member.index, drawMember(server, request, member, within)]),
  );
  for (const work of drawing.values()) work.catch(() => {});
  const unbegun: Drawn[] = [];
  let begun = false;
  try {
    while (drawing.size > 0) {
      const drawn = await Promise.race(drawing.values());
      drawing.delete(drawn.reply.index);
      begun ||= drawn.begun;
      unbegun.push(drawn);
      if (begun) for (const { reply } of unbegun.splice(0)) yield reply;
    }
    signal.throwIfAborted();
    const [first] = unbegun;
    if (first !== undefined) throw first.failure;
  } finally {
    stopping.abort(new Error("The group has ended."));
  }
}

async function drawMember(
  server: Server,
  request: GroupRequest,
  member: Member,
  signal: AbortSignal,
): Promise<Drawn> {
  const start = performance.now();
  const { prompt, maxTokens, schema, constrained } = request;
  const sent = rawRequest(request.loading, { prompt, seed: member.seed, maxTokens, schema });
  let begun = false;
  const drawn = (read: ReadReply, failure: unknown): Drawn => {
    const ms = performance.now() - start;
    return { reply: { ...member, ...read, constrained, ms }, begun, failure };
  };
  const attempt = async (): Promise<ReadReply> => {
    const reader = createReplyReader();
    for await (const chunk of server.generate(sent, signal)) {
      begun = true;
      const read = reader.read(chunk);
      if (read !== null) return read.finish === "lost" ? nothing : read;
    }
    return nothing;
  };
  try {
    return drawn(await whenNotBusy(attempt, signal), null);
  } catch (error) {
    signal.throwIfAborted();
    if (!isExitError(error)) throw error;
    return drawn(nothing, error);
  }
}

const nothing: ReadReply = { text: "", tokens: null, logprobs: null, finish: "lost" };
