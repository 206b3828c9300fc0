/**
 * The audit of a task before its first run (DESIGN.md section 4): does the solution score, and do the cheapest
 * ways to cheat not?
 */
import { createHash, randomUUID } from "node:crypto";
import { isExitError } from "../core/errors.ts";
import type {
  ResolvedTask,
  ScoreRequest,
  ScoreResult,
  Scorer,
  Snapshots,
  Solution,
  Workspace,
} from "../core/ports.ts";
import type { Finding } from "../core/reports.ts";
import { isSelfReported } from "../core/task.ts";
import { cheatsOf, type Probe } from "./probes.ts";

export interface AuditRequest {
  readonly task: ResolvedTask;
  readonly workspace: Pick<Workspace, "solution">;
  readonly scorer: Scorer;
  /** If given, the root is scored under its real snapshot, so that a run can reuse the score. */
  readonly snapshots?: Pick<Snapshots, "save">;
  readonly signal: AbortSignal;
}

export interface AuditReport {
  /** No finding is `refused`. */
  readonly passed: boolean;
  readonly findings: readonly Finding[];
}

/** What a probe came to: a result, or the evaluator's own failure. */
type Trial = { readonly result: ScoreResult } | { readonly broken: string };

/** @throws ExitError of the sandbox (`docker-unreachable`, ...); the signal's reason when aborted. */
export async function auditTask(request: AuditRequest): Promise<AuditReport> {
  const { task, signal } = request;
  signal.throwIfAborted();
  const solution = await request.workspace.solution(task);
  const rootSnapshot = (await request.snapshots?.save(solution, null)) ?? contentId(solution);
  const root = await attempt(request, "root", solution, rootSnapshot);
  const findings = [...rootFindings(task, root)];

  if (findings.some(({ level }) => level === "refused")) return reportOf(findings);
  if (isSelfReported(task.definition)) return reportOf([...findings, selfReported]);
  const { probes, skipped } = cheatsOf(task, solution);
  for (const probe of probes) {
    signal.throwIfAborted();
    const trial = await attempt(request, probe.name, probe.solution, contentId(probe.solution));
    findings.push(probeFinding(task, probe, trial, root));
  }
  return reportOf([...findings, ...skipped]);
}

function reportOf(findings: readonly Finding[]): AuditReport {
  return { passed: findings.every(({ level }) => level !== "refused"), findings };
}

async function attempt(
  { task, scorer, signal }: AuditRequest,
  probe: string,
  solution: Solution,
  snapshot: string,
): Promise<Trial> {
  const scoring: ScoreRequest = {
    key: `audit-${probe}-${randomUUID()}`,
    run: null,
    task,
    snapshot,
    solution,
    isRoot: probe === "root",
  };
  try {
    return { result: await scorer.score(scoring, signal) };
  } catch (error) {
    if (isExitError(error, "evaluator-broken")) return { broken: error.message };
    throw error;
  }
}

/** An id of a solution nobody stored, different from every snapshot. */
function contentId(solution: Solution): string {
  const hash = createHash("sha256");
  for (const { path, bytes, executable } of solution)
    hash.update(`${JSON.stringify([path, executable, bytes.length])}\n`).update(bytes);
  return `audit-${hash.digest("hex")}`;
}

const selfReported: Finding = {
  level: "warning",
  probe: "self-reported",
  message:
    "The score is what a revision prints about itself, so a revision that prints a better number wins without being better. Write a score command with hidden labels when scores start to look too good.",
};

function rootFindings(task: ResolvedTask, root: Trial): Finding[] {
  const say = (level: Finding["level"], message: string): Finding[] => [{ level, probe: "root", message }];
  if ("broken" in root) return say("refused", root.broken);
  const { result } = root;
  const told = noteOf(result);
  if (result.verdict === "scored" && result.quality !== null) {
    const scored = `The solution as it stands scores ${result.score} (quality ${round(result.quality)})`;
    if (result.quality >= 1)
      return say(
        "warning",
        `${scored}, which is already the best: nothing is left to improve. Set "best" in metric to what would be.`,
      );
    return say("ok", `${scored}.`);
  }
  switch (result.verdict) {
    case "infra":
    case "cancelled":
      return say(
        "refused",
        `The solution as it stands could not be judged (${result.verdict}).${told} Try again.`,
      );
    case "eval_error":
      return say("refused", `The score command failed (eval_error).${told} Mend it.`);
    case "quarantine":
      return say(
        "refused",
        `The solution as it stands scores ${result.score}, outside "plausible" in metric: widen it, or mend the score command.`,
      );
  }
  if (task.definition.baseline === "mayFail")
    return say(
      "warning",
      `The solution as it stands does not score (${result.verdict}).${told} "baseline" is "mayFail", so the run begins by repairing it.`,
    );
  return say(
    "refused",
    `The solution as it stands does not score (${result.verdict}).${told} Mend it, or set "baseline": "mayFail" to let the run begin by repairing it.`,
  );
}

/** What a probe shows: `code` must not score at all, `json` must not beat the root. */
function probeFinding(task: ResolvedTask, probe: Probe, trial: Trial, root: Trial): Finding {
  const say = (level: Finding["level"], message: string): Finding => ({ level, probe: probe.name, message });
  const rootResult = "result" in root ? root.result : null;
  if ("broken" in trial) {
    return rootResult?.verdict === "scored"
      ? say("refused", trial.broken)
      : say("ok", `${probe.what} did not score: the score command failed on it.`);
  }
  const { verdict, score } = trial.result;
  if (verdict === "infra" || verdict === "cancelled" || verdict === "eval_error")
    return say(
      "refused",
      `${probe.what} could not be judged (${verdict}).${noteOf(trial.result)} Try again.`,
    );
  if (verdict !== "scored") return say("ok", `${probe.what} did not score (${verdict}).`);
  const quality = trial.result.quality ?? 0;
  const told = `${probe.what} scored ${score} (quality ${round(quality)})`;
  if (task.definition.solution.format !== "json") return say("refused", `${told}. ${probe.mend(task)}`);
  const rootQuality = rootResult?.quality ?? 0;
  const compared = `${told}; the solution as it stands has quality ${round(rootQuality)}.`;
  return quality > rootQuality ? say("refused", `${compared} ${probe.mend(task)}`) : say("ok", compared);
}

function noteOf(result: ScoreResult): string {
  const note = result.feedback ?? result.evidence.score?.note ?? result.evidence.run?.note ?? "";
  return note === "" ? "" : ` ${note.trim().replace(/([^.!?])$/, "$1.")}`;
}

function round(quality: number): string {
  return String(Number(quality.toFixed(4)));
}
