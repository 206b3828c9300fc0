/** Evaluations: a row for each step, whose outcome is filled in once it is scored. */
import type { EvaluationStep, StepOutcome } from "../../core/evaluate/cell.ts";
import { type Edit, finishes, goals } from "../../core/history.ts";
import type { EvaluationRecords } from "../../core/ports.ts";
import { verdicts } from "../../core/verdict.ts";
import type { Database, Row } from "./database.ts";
import { flag, json, number, orNull, text, word } from "./rows.ts";

const goal = word(goals);
const finish = word(finishes);
const verdict = word(verdicts);

function stepOf(row: Row): EvaluationStep {
  return {
    chain: number(row, "chain"),
    k: number(row, "k"),
    attempt: flag(row, "attempt") ? 1 : 0,
    start: text(row, "start"),
    goal: goal(row, "goal"),
    prompt: text(row, "prompt"),
    seed: number(row, "seed"),
    text: text(row, "text"),
    finish: finish(row, "finish"),
    constrained: orNull(text, row, "constrained"),
    tokens: orNull(number, row, "tokens"),
    ms: number(row, "ms"),
    outcome: row.verdict === null ? null : outcomeOf(row),
  };
}

function outcomeOf(row: Row): StepOutcome {
  return {
    edit: json<Edit>(row, "edit"),
    snapshot: orNull(text, row, "snapshot"),
    verdict: verdict(row, "verdict"),
    score: orNull(number, row, "score"),
    quality: orNull(number, row, "quality"),
    qualitySE: orNull(number, row, "qualitySE"),
    feedback: orNull(text, row, "feedback"),
    cached: orNull(flag, row, "cached"),
  };
}

export function evaluationsOf(database: Database): EvaluationRecords {
  return {
    openCell({ sampling, ...facts }) {
      database.insert(
        "evaluationCells",
        { ...facts, sampling: JSON.stringify(sampling) },
        "ON CONFLICT (id) DO NOTHING",
      );
    },
    steps: (cell) =>
      database
        .all("SELECT * FROM evaluationSteps WHERE cell = :cell ORDER BY chain, k, attempt", { cell })
        .map(stepOf),
    addReply(cell, { outcome: _, ...step }) {
      database.insert("evaluationSteps", { cell, ...step }, "ON CONFLICT DO NOTHING");
    },
    addOutcome(cell, { chain, k, attempt }, { edit, cached, ...outcome }) {
      database.run(
        `UPDATE evaluationSteps SET edit = :edit, snapshot = :snapshot, verdict = :verdict, score = :score,
          quality = :quality, qualitySE = :qualitySE, feedback = :feedback, cached = :cached
          WHERE cell = :cell AND chain = :chain AND k = :k AND attempt = :attempt AND verdict IS NULL`,
        {
          cell,
          chain,
          k,
          attempt,
          ...outcome,
          edit: JSON.stringify(edit),
          cached: cached === null ? null : Number(cached),
        },
      );
    },
    snapshots: () =>
      database
        .all(
          "SELECT start AS snapshot FROM evaluationCells UNION SELECT snapshot FROM evaluationSteps WHERE snapshot IS NOT NULL",
        )
        .map((row) => text(row, "snapshot")),
  };
}
