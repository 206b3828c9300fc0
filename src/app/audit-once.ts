/** The audit a task has to pass before its first run, made once for each version of its evaluator. */
import { ExitError } from "../core/errors.ts";
import type { ResolvedTask, Scorer, Snapshots, Store, Workspace } from "../core/ports.ts";
import { auditTask } from "./check.ts";

/** @throws ExitError `audit-failed` with a line for each probe the score command fell for. */
export async function ensureAudited(
  task: ResolvedTask,
  parts: {
    readonly workspace: Workspace;
    readonly snapshots: Snapshots;
    readonly scorer: Scorer;
    readonly store: Pick<Store, "auditPassed" | "setAuditPassed">;
  },
  signal: AbortSignal,
): Promise<void> {
  if (parts.store.auditPassed(task.id, task.evaluatorDigest)) return;
  const { passed, findings } = await auditTask({ ...parts, task, signal });
  if (!passed) {
    const lines = findings.filter((finding) => finding.level === "refused").map((finding) => finding.message);
    throw new ExitError(
      "audit-failed",
      `Task ${task.id} cannot be trusted to score a search:\n${lines.join("\n")}`,
    );
  }
  parts.store.setAuditPassed(task.id, task.evaluatorDigest);
}
