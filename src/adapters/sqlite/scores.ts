/** Scorings that can be reused, and the audits that passed. */
import type { Store } from "../../core/ports.ts";
import { verdicts } from "../../core/verdict.ts";
import type { Database } from "./database.ts";
import { json, number, orNull, text, word } from "./rows.ts";

const verdict = word(verdicts);

export function scoresOf(
  database: Database,
): Pick<Store, "score" | "putScore" | "auditPassed" | "setAuditPassed"> {
  return {
    score(key) {
      const row = database.get("SELECT * FROM scores WHERE key = :key", { key });
      if (!row) return null;
      return {
        key,
        selfTest: orNull(text, row, "selfTest"),
        verdict: verdict(row, "verdict"),
        score: orNull(number, row, "score"),
        quality: orNull(number, row, "quality"),
        qualitySE: orNull(number, row, "qualitySE"),
        metrics: json(row, "metrics"),
        feedback: orNull(text, row, "feedback"),
        evidence: json(row, "evidence"),
        ms: number(row, "ms"),
      };
    },
    putScore(score) {
      database.insert(
        "scores",
        {
          key: score.key,
          selfTest: score.selfTest,
          verdict: score.verdict,
          score: score.score,
          quality: score.quality,
          qualitySE: score.qualitySE,
          metrics: JSON.stringify(score.metrics),
          feedback: score.feedback,
          evidence: JSON.stringify(score.evidence),
          ms: score.ms,
        },
        "ON CONFLICT (key) DO NOTHING",
      );
    },
    auditPassed: (task, evaluatorDigest) =>
      database.get("SELECT 1 FROM audits WHERE task = :task AND evaluatorDigest = :evaluatorDigest", {
        task,
        evaluatorDigest,
      }) !== undefined,
    setAuditPassed(task, evaluatorDigest) {
      database.insert("audits", { task, evaluatorDigest }, "ON CONFLICT DO NOTHING");
    },
  };
}
