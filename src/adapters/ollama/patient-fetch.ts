/**
 * `fetch` on `node:http`. The built-in one gives up when an answer takes more than five minutes to begin, which
 * loading a large model, a long prompt on a CPU, or a queue of replies can take.
 */
import http from "node:http";
import https from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Milliseconds of silence after which the connection is probed: a peer that vanished is noticed. */
const keepAlive = 30_000;

/** @param signal closes the connection at once, also in the middle of an answer. */
export function patientFetch(signal: AbortSignal): typeof fetch {
  return (input, init) =>
    new Promise((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const { request } = url.protocol === "https:" ? https : http;
      const body: unknown = init?.body;
      const headers = new Headers(init?.headers);
      // Else `node:http` leaves the length out of a DELETE, and the server sees no body.
      if (typeof body === "string") headers.set("content-length", String(Buffer.byteLength(body)));
      const options = {
        method: init?.method ?? "GET",
        headers: Object.fromEntries(headers),
        // A connection of its own: a pooled one may have died with an earlier server.
        agent: false as const,
        signal,
      };
      const sent = request(url, options, (answer) => {
        const headers = { "content-type": answer.headers["content-type"] ?? "" };
        const body = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
        resolve(new Response(body, { status: answer.statusCode ?? 500, headers }));
      });
      sent.on("socket", (socket) => socket.setKeepAlive(true, keepAlive));
      sent.on("error", reject);
      if (isStream(body)) pipeline(body, sent).catch(reject);
      else sent.end(typeof body === "string" ? body : undefined);
    });
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
