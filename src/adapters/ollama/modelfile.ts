/** The description a server gives of a model: lines `WORD value`, as `ollama show --modelfile` prints them. */
import type { Sha256 } from "../../core/ports.ts";

interface Line {
  readonly word: string;
  readonly value: string;
}

/** A text of several lines stands in quotes: what looks like a line of the description within it is none. */
const line = /^(PARAMETER \w+|MESSAGE \w+|[A-Z]+) (?:"""([\s\S]*?)"""|"([^"]*)"|(.*))$/gm;

function linesOf(modelfile: string): readonly Line[] {
  return [...modelfile.matchAll(line)].map(([, word = "", long, quoted, bare = ""]) => ({
    word,
    value: (long ?? quoted ?? bare).trim(),
  }));
}

/** Value of the only line with this word; empty where there is none. */
export function wordValue(modelfile: string, word: string): string {
  return linesOf(modelfile).find((one) => one.word === word)?.value ?? "";
}

export interface ModelFiles {
  /** The weights first; what else the model is made of, such as a projector for images. */
  readonly weights: readonly string[];
  readonly adapters: readonly string[];
}

/** Where the server keeps the files of a model. */
export function filesOf(modelfile: string): ModelFiles {
  const lines = linesOf(modelfile);
  const paths = (word: string) => lines.filter((one) => one.word === word).map(({ value }) => value);
  return { weights: paths("FROM"), adapters: paths("ADAPTER") };
}

/** SHA-256 of a file the server keeps, which names it by that; null where it is named otherwise. */
export function blobDigest(path: string): string | null {
  return /sha256[-:]([0-9a-f]{64})$/.exec(path)?.[1] ?? null;
}

/**
 * One digest for all that answers: an adapter changes the weights; a second FROM is a projector for images, which
 * texts do not pass. Null where the description does not tell.
 */
export function weightsDigest(modelfile: string, sha256: Sha256): string | null {
  const { weights, adapters } = filesOf(modelfile);
  const digests = [...weights.slice(0, 1), ...adapters].map(blobDigest);
  const [only = null, ...more] = digests;
  if (digests.includes(null)) return null;
  return more.length === 0 ? only : sha256(digests.join("\n"));
}
