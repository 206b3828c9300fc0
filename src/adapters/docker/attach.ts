/**
 * The output of a container as it comes, in constant memory. A socket normally hands over a fresh buffer with every
 * read, and such memory is given back only once tens of megabytes of it have gathered; here all reads of a
 * container go through one buffer, whatever it prints.
 */
import { Agent, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import Docker, { type Container } from "dockerode";
import { opening } from "./engine.ts";

const readBytes = 64 * 2 ** 10;

export interface Output {
  /** Settles when the connection has ended; rejects if it broke, or with what `take` threw. */
  readonly ended: Promise<void>;
  destroy(): void;
}

/**
 * Attaches to a created container.
 * @param take gets each piece; its bytes hold until it returns.
 */
export async function attach(
  container: Container,
  take: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<Output> {
  let response: IncomingMessage | null = null;
  const give = (bytes: Uint8Array): void => {
    try {
      take(bytes);
    } catch (error) {
      response?.destroy(error as Error);
    }
  };
  let isBare = false;
  const onread = {
    buffer: Buffer.alloc(readBytes),
    callback(this: Socket, bytes: number, buffer: Uint8Array): boolean {
      const piece = buffer.subarray(0, bytes);
      // Until the answer's head is read, and wherever its body is wrapped, the bytes are the HTTP parser's.
      if (isBare) give(piece);
      else this.emit("data", piece);
      return true;
    },
  };
  // An agent hands what its types do not know on to the sockets it makes.
  const agent = new Agent({ keepAlive: false, ...{ onread } });
  const options = { stream: true, stdout: true, stderr: true } as const;
  response = (await opening(
    (abortSignal) => through(container, agent).attach({ ...options, abortSignal }),
    signal,
  )) as unknown as IncomingMessage;
  response.on("data", give);
  isBare = response.headers["transfer-encoding"] === undefined;
  const ended = finished(response);
  // Whoever needs it awaits it.
  ended.catch(() => undefined);
  return { ended, destroy: () => response.destroy() };
}

/** Of a container that was started before: everything its log holds, then what it prints. Begins and ends as above. */
export async function replay(
  container: Container,
  take: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<Output> {
  const options = { follow: true, stdout: true, stderr: true } as const;
  const response = (await opening(
    (abortSignal) => container.logs({ ...options, abortSignal }),
    signal,
  )) as unknown as IncomingMessage;
  response.on("data", (bytes: Uint8Array) => {
    try {
      take(bytes);
    } catch (error) {
      response.destroy(error as Error);
    }
  });
  const ended = finished(response);
  // Whoever needs it awaits it.
  ended.catch(() => undefined);
  return { ended, destroy: () => response.destroy() };
}

/** The same container, reached by connections of that agent; an engine behind an address keeps the client's own. */
function through(container: Container, agent: Agent): Container {
  const { socketPath } = container.modem as { socketPath?: string };
  if (socketPath === undefined) return container;
  // `host` is spelled out because the client would otherwise take it from DOCKER_HOST.
  const options = { host: undefined, socketPath, agent };
  return new Docker(options).getContainer(container.id);
}
