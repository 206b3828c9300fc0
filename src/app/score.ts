/**
 * Scoring a solution: one run in the sandbox, one sealed evaluation, one verdict (DESIGN.md sections 4 and 5).
 * Every solution takes this path: a revision, a root, the audit's probes and `exit-ml score`.
 */
import { rm } from "node:fs/promises";
import { ExitError } from "../core/errors.ts";
import { runFeedback } from "../core/feedback.ts";
import type { SelfTest } from "../core/guarantees.ts";
import { trialNeed } from "../core/need.ts";
import type {
  Arbiter,
  EvaluateOutcome,
  Evidence,
  ResolvedTask,
  RunRequest,
  Sandbox,
  SandboxInfo,
  ScoreRequest,
  ScoreResult,
  Scorer,
  Sha256,
  Store,
} from "../core/ports.ts";
import { readScoreLine, readSelfReportedScore, type ScoreLine } from "../core/score-line.ts";
import { slots } from "../core/slots.ts";
import { qualityOf, type Verdict } from "../core/verdict.ts";
import type { KeptOutputs } from "./kept-outputs.ts";

export interface ScorerParts {
  readonly sandbox: Sandbox;
  readonly arbiter: Arbiter;
  readonly store: Pick<Store, "score" | "putScore">;
  readonly keptOutputs: KeptOutputs;
  /** What the sandbox is known to enforce; made if it is not known yet. */
  readonly selfTest: (task: ResolvedTask, info: SandboxInfo, signal: AbortSignal) => Promise<SelfTest>;
  readonly sha256: Sha256;
}

/** `EXIT_SEED` of the one run a search step is scored by. */
const searchSeed = 0;

/** Broken evaluations in a row, with nothing to compare them with, after which the evaluator is to blame. */
const patience = 3;

export function createScorer(parts: ScorerParts): Scorer {
  const underWay = new Map<string, Promise<ScoreResult>>();
  const whose = createBlame(parts);
  const surroundings = new Map<string, SelfTest>();

  /** The image and the self-test a task is scored with, looked up once for each evaluator. */
  const surroundingsOf = async (task: ResolvedTask, signal: AbortSignal): Promise<SelfTest> => {
    let found = surroundings.get(task.evaluatorDigest);
    if (found === undefined) {
      const info = await parts.sandbox.describe(task, signal);
      found = await parts.selfTest(task, info, signal);
      surroundings.set(task.evaluatorDigest, found);
    }
    return found;
  };

  /** What makes two scorings one: task, solution, image, everything the evaluator depends on, the seed list. */
  const keyOf = (task: ResolvedTask, snapshot: string, image: string): string =>
    parts.sha256(JSON.stringify([task.id, snapshot, image, task.evaluatorDigest, [searchSeed]]));

  return {
    async score(request, signal) {
      const { image, digest: selfTest } = await surroundingsOf(request.task, signal);
      const key = keyOf(request.task, request.snapshot, image);
      // A scoring another caller waits for may be cancelled by that caller: then it is made again here.
      for (let other = underWay.get(key); other !== undefined; other = underWay.get(key)) {
        const result = await other.catch(() => null);
        signal.throwIfAborted();
        if (result !== null) return { ...result, cached: true };
      }
      const known = parts.store.score(key);
      if (known !== null) return { ...known, cached: true };
      const scoring = scoreOnce(request, parts, whose, signal);
      underWay.set(key, scoring);
      try {
        const result = await scoring;
        // An outage says nothing about the solution: it is scored again the next time.
        if (result.verdict !== "infra") parts.store.putScore({ ...result, key, selfTest });
        return result;
      } finally {
        underWay.delete(key);
      }
    },
  };
}

interface Judgement {
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly feedback: string | null;
}

/** One lease for the run and the evaluation after it, which takes no more. */
async function scoreOnce(
  request: ScoreRequest,
  parts: ScorerParts,
  whose: Blame,
  signal: AbortSignal,
): Promise<ScoreResult> {
  const lease = await parts.arbiter.lease(trialNeed(request.task.definition), "revision", signal);
  try {
    return await tryOnce(request, lease.gpus, parts, whose, signal);
  } finally {
    lease.release();
  }
}

async function tryOnce(
  request: ScoreRequest,
  gpus: readonly string[],
  parts: ScorerParts,
  whose: Blame,
  signal: AbortSignal,
): Promise<ScoreResult> {
  const { task } = request;
  const trial: RunRequest = { ...request, seed: searchSeed, split: "search", gpus };
  const ran = await parts.sandbox.run(trial, signal);
  if (ran.kind === "failed") {
    // What crossed a wall must not reach a model.
    const untold = ran.verdict === "infra" || ran.verdict === "quarantine";
    const feedback = untold ? null : runFeedback(ran.verdict, ran.evidence, task);
    return resultOf({ verdict: ran.verdict, score: null, metrics: {}, feedback }, task, ran.evidence, null);
  }
  try {
    const { score } = task.definition;
    if ("fromRun" in score) {
      const judgement = judge(readSelfReportedScore(ran.evidence.stdout, score.fromRun), task);
      return resultOf(judgement, task, ran.evidence, null);
    }
    const evaluated = await parts.sandbox.evaluate(trial, ran.outputs, signal);
    if (evaluated.kind === "infra" || evaluated.kind === "leaked") {
      const verdict = evaluated.kind === "infra" ? "infra" : "quarantine";
      const judgement = { verdict, score: null, metrics: {}, feedback: null } as const;
      return resultOf(judgement, task, ran.evidence, evaluated.evidence);
    }
    const line = lineOf(evaluated);
    if (line.kind === "malformed") {
      await whose.fault(trial, line.problem, signal);
      // Not the evaluator's own words: they could tell what it holds.
      const feedback = "The outputs of the run could not be evaluated.";
      const note = `${line.problem}. ${evaluated.evidence.note}`;
      const judgement = { verdict: "invalid", score: null, metrics: {}, feedback } as const;
      return resultOf(judgement, task, ran.evidence, { ...evaluated.evidence, note });
    }
    const judgement = judge(line, task);
    if (judgement.verdict === "scored") await whose.scored(request, ran.outputs);
    return resultOf(judgement, task, ran.evidence, evaluated.evidence);
  } finally {
    await rm(ran.outputs.folder, { recursive: true, force: true });
  }
}

function lineOf(evaluated: EvaluateOutcome): ScoreLine {
  return evaluated.kind === "printed"
    ? readScoreLine(evaluated.stdout)
    : { kind: "malformed", problem: evaluated.evidence.note };
}

function judge(line: ScoreLine, task: ResolvedTask): Judgement {
  if (line.kind !== "score") {
    const feedback = line.kind === "invalid" ? line.reason : line.problem;
    return { verdict: "invalid", score: null, metrics: {}, feedback };
  }
  const { plausible } = task.definition.metric;
  const believable = plausible === undefined || (line.score >= plausible[0] && line.score <= plausible[1]);
  const verdict = believable ? "scored" : "quarantine";
  return { verdict, score: line.score, metrics: line.metrics, feedback: null };
}

function resultOf(
  judgement: Judgement,
  task: ResolvedTask,
  run: Evidence,
  score: Evidence | null,
): ScoreResult {
  return {
    ...judgement,
    quality: qualityOf(judgement.verdict, judgement.score, task.definition.metric),
    qualitySE: null,
    evidence: { run, score },
    cached: false,
    ms: run.ms + (score?.ms ?? 0),
  };
}

/**
 * Whose fault is a broken evaluation? The evaluator runs once more, on outputs that scored before: if they still
 * score, the revision's outputs broke it; if they do not, the evaluator itself is broken.
 */
interface Blame {
  /** Returns if the outputs are at fault. @throws ExitError `evaluator-broken`. */
  fault(trial: RunRequest, problem: string, signal: AbortSignal): Promise<void>;
  /** Outputs that scored: kept for the next comparison. */
  scored(request: ScoreRequest, outputs: Parameters<KeptOutputs["keep"]>[1]): Promise<void>;
}

function createBlame(parts: ScorerParts): Blame {
  const brokenInARow = new Map<string, number>();
  // Kept outputs must not be replaced while an evaluator reads them.
  const oneAtATime = slots(1);
  return {
    fault: (trial, problem, signal) =>
      oneAtATime(async () => {
        const { task } = trial;
        const known = await parts.keptOutputs.find(task);
        if (known === null) {
          const broken = (brokenInARow.get(task.id) ?? 0) + 1;
          brokenInARow.set(task.id, broken);
          if (broken >= patience) throw evaluatorBroken(task, problem);
          return;
        }
        const again = { ...trial, key: `${trial.key}-again` };
        const evaluated = await parts.sandbox.evaluate(again, known, signal);
        if (evaluated.kind === "infra") throw new ExitError("sandbox-lost", evaluated.evidence.note);
        const line = lineOf(evaluated);
        if (line.kind === "score") return;
        throw evaluatorBroken(task, line.kind === "malformed" ? line.problem : line.reason);
      }),
    scored: (request, outputs) =>
      oneAtATime(async () => {
        brokenInARow.delete(request.task.id);
        await parts.keptOutputs.keep(request.task, outputs, request.isRoot);
      }),
  };
}

function evaluatorBroken(task: ResolvedTask, problem: string): ExitError {
  return new ExitError(
    "evaluator-broken",
    `The score command of task ${task.id} fails on outputs that are not to blame: ${problem}. ` +
      "Mend it and run again; nothing was lost.",
  );
}
