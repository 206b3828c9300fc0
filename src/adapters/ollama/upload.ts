/** Gives a server a file, which it keeps under its SHA-256. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ExitError, messageOf } from "../../core/errors.ts";
import { RequestFailed, type Server } from "./server.ts";

/** Bytes read at once. */
const piece = 1 << 20;
/** Percent between two reports. */
const stride = 5;

/** Hexadecimal SHA-256. @throws ExitError `model-unreadable`. */
export async function fileDigest(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: piece, signal })) hash.update(chunk);
  } catch (error) {
    signal.throwIfAborted();
    throw new ExitError(
      "model-unreadable",
      `The file of the tuned model cannot be read: ${messageOf(error)}. Fine-tune again to make it anew.`,
      { cause: error },
    );
  }
  return hash.digest("hex");
}

/** Nothing is sent where the server has it. @throws ExitError `ollama-failed`, `ollama-unreachable`. */
export async function uploadBlob(
  server: Server,
  file: string,
  digest: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/blobs/sha256:${digest}`;
  const found = await server.send(path, { method: "HEAD" }, signal);
  if (found.ok) return;
  const { size } = await stat(file);
  const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
  const sending = server.send(path, { method: "POST", headers, body: read(file, size, say) }, signal);
  const answer = await sending.catch((error: unknown) => {
    throw error instanceof RequestFailed ? brokenOff(error) : error;
  });
  const text = await answer.text();
  if (!answer.ok) throw new RequestFailed(server.endpoint, errorIn(text), answer.status);
}

async function* read(
  file: string,
  size: number,
  say: (text: string) => void,
): AsyncGenerator<Uint8Array, void> {
  const megabytes = Math.ceil(size / 1e6);
  let sent = 0;
  let told = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: piece })) {
    yield chunk;
    sent += chunk.length;
    const percent = Math.floor((100 * sent) / size / stride) * stride;
    if (percent > told) say(`${percent} % of ${megabytes} MB copied to Ollama.`);
    told = percent;
  }
}

/** A server that answers before it has read everything closes the connection, and its answer may be lost with it. */
function brokenOff(error: RequestFailed): ExitError {
  return new ExitError(
    error.reason,
    `Copying the tuned model to Ollama broke off (${error.answer}). Look whether the disk that holds Ollama's models is full, then do it again.`,
    { cause: error },
  );
}

function errorIn(answer: string): string {
  try {
    const { error }: { error?: unknown } = JSON.parse(answer);
    return typeof error === "string" ? error : answer;
  } catch {
    return answer;
  }
}
