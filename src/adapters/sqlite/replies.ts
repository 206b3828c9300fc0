/** Members of groups: the reply as sampled, and what became of it. */
import { type Edit, finishes, type Reply, type SampledReply, type Token } from "../../core/history.ts";
import type { ScoreResult, Store } from "../../core/ports.ts";
import { verdicts } from "../../core/verdict.ts";
import type { Database, Row } from "./database.ts";
import { bytes, json, number, orNull, text, word } from "./rows.ts";

const finish = word(finishes);
const verdict = word(verdicts);

/** Ids and texts apart: half the size of a list of objects. */
interface PackedTokens {
  readonly ids: readonly (number | null)[];
  readonly texts: readonly string[];
}

function packTokens(tokens: readonly Token[]): string {
  const packed: PackedTokens = { ids: tokens.map(({ id }) => id), texts: tokens.map(({ text }) => text) };
  return JSON.stringify(packed);
}

function tokensOf(row: Row, column: string): Token[] {
  const { ids, texts } = json<PackedTokens>(row, column);
  return texts.map((text, place) => ({ id: ids[place] ?? null, text }));
}

/** 64-bit floats in the byte order of all machines we run on (little-endian). */
function packNumbers(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

function numbersOf(row: Row, column: string): number[] {
  return [...new Float64Array(bytes(row, column).slice().buffer)];
}

function replyOf(row: Row): Reply {
  return {
    index: number(row, "index"),
    seed: number(row, "seed"),
    text: text(row, "text"),
    tokens: orNull(tokensOf, row, "tokens"),
    logprobs: orNull(numbersOf, row, "logprobs"),
    finish: finish(row, "finish"),
    constrained: orNull(text, row, "constrained"),
    ms: number(row, "ms"),
    answer: orNull(text, row, "answer"),
    edit: orNull(json<Edit>, row, "edit"),
    snapshot: orNull(text, row, "snapshot"),
    verdict: orNull(verdict, row, "verdict"),
    score: orNull(number, row, "score"),
    quality: orNull(number, row, "quality"),
    qualitySE: orNull(number, row, "qualitySE"),
    feedback: orNull(text, row, "feedback"),
    node: orNull(text, row, "node"),
    reward: orNull(number, row, "reward"),
    advantage: orNull(number, row, "advantage"),
    diversity: orNull(number, row, "diversity"),
    distance: orNull(number, row, "distance"),
  };
}

/** All members of a group that came back, by index. */
export function repliesOfGroup(database: Database, group: string): Reply[] {
  return database
    .all(
      `SELECT * FROM replies JOIN replyTexts USING ("group", "index")
        LEFT JOIN outcomeTexts USING ("group", "index") WHERE "group" = :group ORDER BY "index"`,
      { group },
    )
    .map(replyOf);
}

export function repliesOf(database: Database): Pick<Store, "addReply" | "addOutcome" | "evidence"> {
  function insertReply(group: string, reply: SampledReply): void {
    const at = { group, index: reply.index };
    const { seed, finish, constrained, ms } = reply;
    const onConflict = 'ON CONFLICT ("group", "index") DO NOTHING';
    if (database.insert("replies", { ...at, seed, finish, constrained, ms }, onConflict) === 0) return;
    const tokens = reply.tokens === null ? null : packTokens(reply.tokens);
    const logprobs = reply.logprobs === null ? null : packNumbers(reply.logprobs);
    database.insert("replyTexts", { ...at, text: reply.text, tokens, logprobs }, "");
  }

  return {
    addReply: (group, reply) => database.transaction(() => insertReply(group, reply)),
    addOutcome: (group, index, outcome) =>
      database.transaction(() => {
        database.run(
          `DELETE FROM outcomeTexts WHERE "group" = :group AND "index" = :index AND EXISTS
            (SELECT 1 FROM replies WHERE "group" = :group AND "index" = :index AND verdict = 'eval_error')`,
          { group, index },
        );
        const inserted = database.insert(
          "outcomeTexts",
          {
            group,
            index,
            answer: outcome.answer,
            edit: JSON.stringify(outcome.edit),
            feedback: outcome.feedback,
            evidence: outcome.evidence === null ? null : JSON.stringify(outcome.evidence),
          },
          'ON CONFLICT ("group", "index") DO NOTHING',
        );
        if (inserted === 0) return;
        database.run(
          `UPDATE replies SET snapshot = :snapshot, verdict = :verdict, score = :score, quality = :quality,
            qualitySE = :qualitySE WHERE "group" = :group AND "index" = :index`,
          {
            group,
            index,
            snapshot: outcome.snapshot,
            verdict: outcome.verdict,
            score: outcome.score,
            quality: outcome.quality,
            qualitySE: outcome.qualitySE,
          },
        );
      }),
    evidence(group, index) {
      const row = database.get(
        'SELECT evidence FROM outcomeTexts WHERE "group" = :group AND "index" = :index',
        { group, index },
      );
      return row ? orNull(json<ScoreResult["evidence"]>, row, "evidence") : null;
    },
  };
}
