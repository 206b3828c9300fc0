/**
 * How far apart the solutions of a group are (EXIT.md section 2.8): by the run's embedding model where one is set and
 * can read them whole, else by the built-in lexical embedding.
 */
import { embedSolution, solutionText } from "./embedding.ts";
import { isExitError } from "./errors.ts";
import type { EmbeddingSource, Reply, Run } from "./history.ts";
import type { Observer, Policy, Snapshots, Solution } from "./ports.ts";
import { centroidDistances } from "./reward.ts";

interface SpreadContext {
  readonly run: Run;
  readonly policy: Policy;
  readonly snapshots: Snapshots;
  readonly observer: Observer;
  readonly withModel: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
}

/** Distances from the centroid; null for a member without a solution, or outside the statistics. */
export async function measureSpread(
  group: string,
  replies: readonly Reply[],
  context: SpreadContext,
  signal: AbortSignal,
): Promise<{ readonly distances: readonly (number | null)[]; readonly source: EmbeddingSource }> {
  const solutions = await Promise.all(
    replies.map((reply) =>
      reply.snapshot === null || reply.quality === null ? null : context.snapshots.read(reply.snapshot),
    ),
  );
  const known = solutions.filter((solution) => solution !== null);
  const { vectors, source } = await embed(group, known, context, signal);
  const left = [...vectors];
  const embeddings = solutions.map((solution) => (solution === null ? null : (left.shift() ?? null)));
  return { distances: centroidDistances(embeddings), source };
}

async function embed(
  group: string,
  solutions: readonly Solution[],
  { run, policy, withModel, observer }: SpreadContext,
  signal: AbortSignal,
): Promise<{ readonly vectors: readonly (readonly number[])[]; readonly source: EmbeddingSource }> {
  const { embeddingModel: model } = run.settings;
  const embedTexts = policy.embed?.bind(policy);
  if (model !== null && embedTexts !== undefined && solutions.length > 0) {
    try {
      const texts = solutions.map(solutionText);
      const { digest, vectors } = await withModel(() => embedTexts(model, texts, signal), signal);
      return { vectors, source: { model, digest } };
    } catch (error) {
      if (!isExitError(error, "embedding-too-long")) throw error;
      const text = `${error.message} The built-in measure is used for ${group}.`;
      observer.message?.("warn", text);
    }
  }
  return { vectors: solutions.map(embedSolution), source: { model: null, digest: null } };
}
