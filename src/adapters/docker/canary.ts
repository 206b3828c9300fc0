/**
 * A random word that lies beside the hidden files, in the working folder of evaluators and nowhere else. Whatever it
 * comes out of has crossed a wall that should be closed, however that was done.
 */
import { randomBytes } from "node:crypto";
import type { Capture } from "./stream.ts";

/** Name of the file that holds it; one that no pattern for data matches by accident. */
export const canaryFile = ".exit-ml-canary";

export function createCanary(): string {
  return `exit-ml-canary-${randomBytes(16).toString("hex")}`;
}

/** Looks for a word in bytes that come in pieces; keeps no more than the word's length. */
export interface Search {
  push(bytes: Uint8Array): void;
  found(): boolean;
}

export function searchFor(word: string): Search {
  const length = Buffer.byteLength(word);
  let found = false;
  let end = Buffer.alloc(0);
  return {
    push(bytes) {
      if (found) return;
      const piece = Buffer.concat([end, bytes]);
      found = piece.includes(word);
      // Copied, or the whole piece would be kept for its end.
      end = Buffer.from(piece.subarray(Math.max(0, piece.length - length + 1)));
    },
    found: () => found,
  };
}

/** A capture that shows `search` all it is given, the part it does not keep included. */
export function searched(capture: Capture, search: Search): Capture {
  return {
    ...capture,
    push(bytes) {
      search.push(bytes);
      capture.push(bytes);
    },
  };
}
