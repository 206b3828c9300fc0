/**
 * What the next prompt may tell about a failed revision (EXIT.md section 1, feedback `e`): the error trace or
 * the broken rule, never a score and never anything the evaluator printed by accident.
 */
import type { Evidence, ResolvedTask } from "./ports.ts";
import type { Verdict } from "./verdict.ts";

/** Characters of an error trace that are kept: its end says what went wrong. */
const longestTrace = 4_000;

export function runFeedback(verdict: Verdict, evidence: Evidence, task: ResolvedTask): string {
  const { run, sandbox } = task.definition;
  switch (verdict) {
    case "timeout":
      return `The run was stopped at its time limit of ${run.timeout}.`;
    case "oom":
      return `The run was killed for using more than its memory limit of ${sandbox.memory}.`;
    case "output_limit":
      return "The run was stopped for printing far too much.";
    case "disk_limit":
      return `The run filled its disk limit of ${sandbox.disk}.`;
    case "invalid":
      return evidence.note;
    default: {
      const trace = evidence.stderr.trim() || withoutScore(evidence.stdout, task).trim() || evidence.note;
      return trace.length > longestTrace ? `…${trace.slice(-longestTrace)}` : trace;
    }
  }
}

/** What a quick-start task prints about its own score is a score all the same. */
function withoutScore(stdout: string, task: ResolvedTask): string {
  const { score } = task.definition;
  if (!("fromRun" in score)) return stdout;
  const pattern = new RegExp(score.fromRun);
  return stdout
    .split("\n")
    .filter((line) => !pattern.test(line))
    .join("\n");
}
