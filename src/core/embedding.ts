/**
 * The built-in lexical embedding: a text as a fixed-length vector without any model. It measures the spread of a
 * group's solutions for the diversity bonus (EXIT.md section 2.8) where no embedding model is at hand.
 *
 * A text is split into words, numbers and punctuation. Runs of one to three tokens are counted; each distinct run
 * adds the square root of its count (so that a repeated line does not drown the rest) to one of 256 places, with a
 * sign, both taken from a hash of the run (feature hashing, Weinberger et al. 2009). The sum is scaled to length 1.
 * Only integer arithmetic, sums and square roots are used, so a text has the same vector on every machine.
 */
import type { Solution } from "./ports.ts";

export const embeddingLength = 256;

const longestRun = 3;
const tokenPattern = /[\p{L}_][\p{L}\p{N}_]*|\p{N}+(?:\.\p{N}+)?|[^\s\p{L}\p{N}_]/gu;

/** Vector of `embeddingLength` numbers with Euclidean length 1; all zeros for a text without tokens. */
export function embedText(text: string): number[] {
  const counts = new Map<string, number>();
  countRuns(text, counts);
  return vectorOf(counts);
}

/**
 * Vector of a whole solution: the runs of all files, and each path as one more text. Files that are not UTF-8 count
 * with their path and length.
 */
export function embedSolution(solution: Solution): number[] {
  const counts = new Map<string, number>();
  for (const file of solution) {
    countRuns(file.path, counts);
    countRuns(textOf(file), counts);
  }
  return vectorOf(counts);
}

/** A solution as one text, for an embedding model: each file below its path. */
export function solutionText(solution: Solution): string {
  return solution.map((file) => `${file.path}\n${textOf(file)}`).join("\n");
}

function textOf({ bytes }: Solution[number]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return `binary ${bytes.length}`;
  }
}

function countRuns(text: string, counts: Map<string, number>): void {
  const tokens = text.match(tokenPattern) ?? [];
  for (let from = 0; from < tokens.length; from++) {
    let run = "";
    for (let length = 1; length <= longestRun && from + length <= tokens.length; length++) {
      run += `\u0000${tokens[from + length - 1]}`;
      counts.set(run, (counts.get(run) ?? 0) + 1);
    }
  }
}

function vectorOf(counts: ReadonlyMap<string, number>): number[] {
  const vector = new Array<number>(embeddingLength).fill(0);
  // Sorted, because floating-point sums depend on their order and equal contents must give equal vectors.
  for (const run of [...counts.keys()].sort()) {
    const hash = hashOf(run);
    const place = hash % embeddingLength;
    const sign = hash >>> 31 === 0 ? 1 : -1;
    vector[place] = (vector[place] ?? 0) + sign * Math.sqrt(counts.get(run) ?? 0);
  }
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

/** 32-bit FNV-1a over UTF-16 code units, with the finaliser of MurmurHash3 so that all bits depend on all input. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
