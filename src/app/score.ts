/**
 * Scoring a solution: one run in the sandbox, one sealed evaluation, one verdict (DESIGN.md sections 4 and 5).
 * Every solution takes this path: a revision, a root, the audit's probes and `exit-ml score`.
 */
import { rm } from "node:fs/promises";
import { ExitError } from "../core/errors.ts";
import { EvaluatorBroken } from "../core/evaluator-broken.ts";
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
import { combineRepeats, searchSeeds } from "../core/repeats.ts";
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

/** Trials lost in a row to an engine that answers and yet runs nothing, after which a run is better paused. */
const lostPatience = 5;

/** Broken evaluations in a row, with nothing to compare them with, after which the evaluator is to blame. */
const patience = 3;

export function createScorer(parts: ScorerParts): Scorer {
  const underWay = new Map<string, Promise<ScoreResult>>();
  const whose = createBlame(parts);
  const surroundings = new Map<string, SelfTest>();
  let lostInARow = 0;

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

  /** What makes two scorings one: task, solution, image, everything the evaluator depends on, seed and split. */
  const keyOf = ({ task, snapshot, seed, split }: Trial, image: string): string =>
    parts.sha256(
      JSON.stringify([
        ...[task.id, snapshot, image, task.evaluatorDigest, [seed]],
        ...(split === "search" ? [] : [split]),
      ]),
    );

  const scoreSeed = async (trial: Trial, signal: AbortSignal): Promise<ScoreResult> => {
    const { image, digest: selfTest } = await surroundingsOf(trial.task, signal);
    const key = keyOf(trial, image);
    // A scoring another caller waits for may be cancelled by that caller: then it is made again here.
    for (let other = underWay.get(key); other !== undefined; other = underWay.get(key)) {
      const result = await other.catch(() => null);
      signal.throwIfAborted();
      if (result !== null) return { ...result, cached: true };
    }
    const known = parts.store.score(key);
    if (known !== null) return { ...known, cached: true };
    const scoring = scoreOnce(trial, parts, whose, signal);
    underWay.set(key, scoring);
    try {
      const result = await scoring;
      lostInARow = result.verdict === "infra" ? lostInARow + 1 : 0;
      if (lostInARow >= lostPatience) throw sandboxLost(result);
      // An outage says nothing about the solution: it is scored again the next time.
      if (result.verdict !== "infra") parts.store.putScore({ ...result, key, selfTest });
      return result;
    } finally {
      underWay.delete(key);
    }
  };

  return {
    // Each seed is kept for itself, so that what is interrupted goes on with the seeds that are missing.
    async score(request, signal) {
      const { repeats, metric } = request.task.definition;
      const seeds = request.seed === undefined ? searchSeeds(repeats) : [request.seed];
      const results: ScoreResult[] = [];
      for (const seed of seeds) {
        const key = seeds.length === 1 ? request.key : `${request.key}-s${seed}`;
        results.push(await scoreSeed({ split: "search", ...request, key, seed }, signal));
        // What the other seeds would come to changes nothing any more.
        if (results.at(-1)?.verdict !== "scored") break;
      }
      return combineRepeats(results, seeds, metric);
    },
  };
}

/** A scoring with one seed. */
type Trial = ScoreRequest & Required<Pick<ScoreRequest, "seed" | "split">>;

interface Judgement {
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly feedback: string | null;
}

/** One lease for the run and the evaluation after it, which takes no more. */
async function scoreOnce(
  request: Trial,
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
  request: Trial,
  gpus: readonly string[],
  parts: ScorerParts,
  whose: Blame,
  signal: AbortSignal,
): Promise<ScoreResult> {
  const { task } = request;
  const trial: RunRequest = { ...request, gpus };
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
      const note = `${line.problem}. ${evaluated.evidence.note}`;
      const nothing = { score: null, metrics: {} };
      const judged = (judgement: Judgement): ScoreResult =>
        resultOf(judgement, task, ran.evidence, { ...evaluated.evidence, note });
      const broken = await whose.fault(trial, line.problem, signal);
      if (broken !== null)
        throw new EvaluatorBroken(broken, judged({ ...nothing, verdict: "eval_error", feedback: null }));
      // Not the evaluator's own words: they could tell what it holds.
      const feedback = "The outputs of the run could not be evaluated.";
      return judged({ ...nothing, verdict: "invalid", feedback });
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
  /** Null if the outputs are at fault, else a sentence about the evaluator. @throws ExitError `sandbox-lost`. */
  fault(trial: RunRequest, problem: string, signal: AbortSignal): Promise<string | null>;
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
          return broken >= patience ? evaluatorBroken(task, problem) : null;
        }
        const again = { ...trial, key: `${trial.key}-again` };
        const evaluated = await parts.sandbox.evaluate(again, known, signal);
        if (evaluated.kind === "infra") throw new ExitError("sandbox-lost", evaluated.evidence.note);
        const line = lineOf(evaluated);
        if (line.kind === "score") return null;
        return evaluatorBroken(task, line.kind === "malformed" ? line.problem : line.reason);
      }),
    scored: (request, outputs) =>
      oneAtATime(async () => {
        brokenInARow.delete(request.task.id);
        await parts.keptOutputs.keep(request.task, outputs, request.isRoot);
      }),
  };
}

function sandboxLost({ evidence }: ScoreResult): ExitError {
  return new ExitError(
    "sandbox-lost",
    `The last ${lostPatience} trials were lost to the Docker engine, not to their revisions: ${(evidence.score ?? evidence.run)?.note ?? ""} ` +
      'Mend the engine ("exit-ml doctor" looks at it), then repeat the command: nothing was lost.',
  );
}

function evaluatorBroken(task: ResolvedTask, problem: string): string {
  return (
    `The score command of task ${task.id} fails on outputs that are not to blame: ${problem}. ` +
    "Mend it and run again; what is finished is kept."
  );
}
