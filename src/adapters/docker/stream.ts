/**
 * What a command prints: the engine's multiplexed stream taken apart, and kept within bounds. The client
 * library's own splitter reads without waiting for its sink, recurses per frame and trusts every length.
 */
import { stripVTControlCharacters } from "node:util";
import { ExitError } from "../../core/errors.ts";

export type Channel = "stdout" | "stderr";

const headerSize = 8;
/** Engines send frames of some 32 KiB; a longer one means that we lost the frame boundaries. */
const largestFrame = 16 * 2 ** 20;

function channelOf(header: Buffer): { channel: Channel; length: number } {
  const type = header[0] ?? 0;
  const length = header.readUInt32BE(4);
  if (type > 3 || header[1] !== 0 || header[2] !== 0 || header[3] !== 0 || length > largestFrame)
    throw new ExitError(
      "docker-stream",
      "The engine sent output in an unknown form. Is the endpoint really a Docker engine?",
    );
  return { channel: type < 2 ? "stdout" : "stderr", length };
}

/** Takes an attach stream apart (header: type, three zeros, big-endian length; then payload). Keeps nothing of it. */
export interface Demultiplexer {
  /**
   * Takes the next chunk and hands each piece of payload on as it comes, whole frames or not.
   * @throws ExitError `docker-stream`; whatever the sink throws.
   */
  take(chunk: Uint8Array): void;
  /** Did what was taken so far end after a whole frame? A broken connection may look like a good end. */
  isWhole(): boolean;
}

export function demultiplexer(sink: (channel: Channel, bytes: Uint8Array) => void): Demultiplexer {
  const header = Buffer.alloc(headerSize);
  let headerFilled = 0;
  let channel: Channel = "stdout";
  let missing = 0;
  return {
    take(chunk) {
      let position = 0;
      while (position < chunk.length) {
        if (missing === 0) {
          const piece = chunk.subarray(position, position + headerSize - headerFilled);
          header.set(piece, headerFilled);
          headerFilled += piece.length;
          position += piece.length;
          if (headerFilled < headerSize) continue;
          headerFilled = 0;
          ({ channel, length: missing } = channelOf(header));
        } else {
          const piece = chunk.subarray(position, position + missing);
          missing -= piece.length;
          position += piece.length;
          sink(channel, piece);
        }
      }
    },
    isWhole: () => missing === 0 && headerFilled === 0,
  };
}

/** The beginning and the end of a channel, whatever lies between. */
export interface Capture {
  push(bytes: Uint8Array): void;
  /** Bytes pushed so far. */
  total(): number;
  /** The kept bytes as text; bytes that are not UTF-8 become U+FFFD, a gap is named. */
  text(): string;
}

/** Keeps at most `head + tail` bytes. */
export function createCapture(head: number, tail: number): Capture {
  const first = Buffer.alloc(head);
  const ring = Buffer.alloc(tail);
  let total = 0;

  return {
    push(bytes) {
      const fits = Math.max(0, Math.min(bytes.length, head - total));
      if (fits > 0) first.set(bytes.subarray(0, fits), total);
      const rest = bytes.subarray(fits);
      const kept = rest.subarray(Math.max(0, rest.length - tail));
      // Ring position of the first kept byte: its distance from the end of the head.
      const start = tail === 0 ? 0 : (total + bytes.length - kept.length - head) % tail;
      if (kept.length > 0) {
        const straight = kept.subarray(0, tail - start);
        ring.set(straight, start);
        ring.set(kept.subarray(straight.length), 0);
      }
      total += bytes.length;
    },
    total: () => total,
    text() {
      const beginning = first.subarray(0, Math.min(total, head));
      const after = Math.max(0, total - head);
      if (after <= tail) return decode(Buffer.concat([beginning, ring.subarray(0, after)]));
      const turn = tail === 0 ? 0 : after % tail;
      const end = Buffer.concat([ring.subarray(turn), ring.subarray(0, turn)]);
      const gap = `\n[... ${after - tail} bytes left out ...]\n`;
      return (
        new TextDecoder().decode(beginning, { stream: true }) + gap + decode(end.subarray(continuation(end)))
      );
    },
  };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Number of bytes at the start that belong to a character cut in two. */
function continuation(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count += 1;
  return count;
}

// Control characters but tab and line feed, and the marks that reorder the text around them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text safe to show anywhere: terminal sequences and control characters removed, line ends made `\n`. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, "\n").replace(controls, "");
}
