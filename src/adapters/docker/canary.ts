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
  const overlap = Buffer.byteLength(word) - 1;
  // Where two pieces meet: the end of what came before, then the head of the next. Used again and again, as a fresh
  // buffer for each piece would be tens of megabytes before it is collected.
  const seam = Buffer.alloc(2 * overlap);
  let kept = 0;
  let found = false;
  return {
    push(bytes) {
      if (found) return;
      const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const met = kept + piece.copy(seam, kept, 0, overlap);
      found = piece.includes(word) || seam.subarray(0, met).includes(word);
      if (piece.length >= overlap) kept = piece.copy(seam, 0, piece.length - overlap);
      else {
        seam.copyWithin(0, Math.max(0, met - overlap), met);
        kept = Math.min(met, overlap);
      }
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
