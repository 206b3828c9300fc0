/**
 * Brings sequences to the state after a shared prompt, evaluating it once: the others read the state of the first
 * from a file. What a sequence still holds of the same beginning is kept.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "./load.ts";
import type { Sequence, TokenId } from "./runtime.ts";

/** A shorter rest is evaluated by each sequence itself. */
const worthAFile = 64;

/**
 * @param evaluated called after each part of the prompt; stops the work by returning false.
 * @returns false if stopped.
 */
export async function sharePrefix(
  engine: Engine,
  sequences: readonly Sequence[],
  prefix: readonly TokenId[],
  scratch: string,
  evaluated: () => boolean,
): Promise<boolean> {
  const [first, ...others] = sequences;
  if (first === undefined) return true;
  if (!(await bringTo(engine, first, prefix, evaluated))) return false;
  const far = others.filter(
    (sequence) => prefix.length - common(sequence.contextTokens, prefix) > worthAFile,
  );
  if (far.length > 0) await copyState(first, far, scratch);
  return true;
}

/** Evaluates what `sequence` lacks of `prefix`, and drops what it has beyond. */
export async function bringTo(
  engine: Engine,
  sequence: Sequence,
  prefix: readonly TokenId[],
  evaluated: () => boolean,
): Promise<boolean> {
  await sequence.adaptStateToTokens([...prefix], false);
  while (sequence.nextTokenIndex < prefix.length) {
    const from = sequence.nextTokenIndex;
    await sequence.evaluateWithoutGeneratingNewTokens(prefix.slice(from, from + engine.context.batchSize));
    if (!evaluated()) return false;
  }
  return true;
}

/** Where the disk refuses, the sequences stay as they are and evaluate the prompt themselves later. */
async function copyState(from: Sequence, to: readonly Sequence[], scratch: string): Promise<void> {
  const file = join(scratch, "prompt.state");
  try {
    await mkdir(scratch, { mode: 0o700 });
    await from.saveStateToFile(file);
    for (const sequence of to) await sequence.loadStateFromFile(file, { acceptRisk: true });
  } catch {
    // bringTo mends whatever state a sequence is in.
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function common(a: readonly TokenId[], b: readonly TokenId[]): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return at;
  return length;
}
