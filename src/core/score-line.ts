/** Reading what a score command printed (DESIGN.md section 4): exactly one JSON line, or a sentence about it. */
import { z } from "zod";

export type ScoreLine =
  | { readonly kind: "score"; readonly score: number; readonly metrics: Readonly<Record<string, number>> }
  /** The outputs break the task's rules; the model may see the reason. */
  | { readonly kind: "invalid"; readonly reason: string }
  /** The command did not keep to the form. */
  | { readonly kind: "malformed"; readonly problem: string };

const metrics = z.record(z.string(), z.number()).default({});
const lineSchema = z.union([
  z.object({ score: z.number(), metrics }),
  z.object({ invalid: z.string().min(1) }),
]);

const expected = 'expected one line such as {"score": 0.93}';

export function readScoreLine(stdout: string): ScoreLine {
  const lines = stdout.split("\n").filter((line) => line.trim() !== "");
  const line = lines[0];
  if (line === undefined) return malformed(`the score command printed nothing; ${expected}`);
  if (lines.length > 1) return malformed(`the score command printed ${lines.length} lines; ${expected}`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return malformed(`the score command printed ${quoted(line)}, which is not JSON; ${expected}`);
  }
  // The last of two keys of one name would silently win; text from outputs may have slipped into the line.
  const keys = topLevelKeys(line);
  if (new Set(keys).size < keys.length || (keys.includes("score") && keys.includes("invalid")))
    return malformed(`the score command printed more than one result: ${quoted(line)}; ${expected}`);
  // JSON has no NaN, but 1e999 parses to Infinity, which the schema would refuse without saying why.
  if (isObject(value) && typeof value.score === "number" && !Number.isFinite(value.score))
    return malformed(`the score command printed a score that is not finite: ${quoted(line)}`);
  const read = lineSchema.safeParse(value);
  if (!read.success) return malformed(`the score command printed ${quoted(line)}; ${expected}`);
  if ("invalid" in read.data) return { kind: "invalid", reason: read.data.invalid };
  return { kind: "score", ...read.data };
}

/** The number a revision printed about itself: the first group of the last match. */
export function readSelfReportedScore(stdout: string, pattern: string): ScoreLine {
  const matches = [...stdout.matchAll(new RegExp(pattern, "gm"))];
  const text = matches.at(-1)?.[1];
  if (text === undefined)
    return { kind: "invalid", reason: `the run printed nothing that matches ${pattern}` };
  const score = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(score))
    return { kind: "invalid", reason: `the run printed ${quoted(text)} where a number was expected` };
  return { kind: "score", score, metrics: {} };
}

/** Keys of the outermost object of a valid JSON text, in order, each as often as it stands there. */
function topLevelKeys(json: string): string[] {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g) ?? [];
  let depth = 0;
  return tokens.flatMap((token, at) => {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    return depth === 1 && tokens[at + 1] === ":" ? [String(JSON.parse(token))] : [];
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function malformed(problem: string): ScoreLine {
  return { kind: "malformed", problem };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
