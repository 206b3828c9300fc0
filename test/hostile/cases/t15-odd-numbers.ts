import assert from "node:assert/strict";
import type { Verdict } from "../../../src/core/verdict.ts";
import { hostile, python } from "../case.ts";

/** What the score line holds in the place of a number. */
const numbers: readonly (readonly [text: string, verdict: Verdict])[] = [
  ["Infinity", "invalid"],
  ["1e999", "invalid"],
  ["-1e999", "invalid"],
  ["1e308", "quarantine"],
  ["-0", "scored"],
  ["0.9abc", "invalid"],
  ["", "invalid"],
  ["0,9", "invalid"],
  ["0x1", "invalid"],
  ["09", "invalid"],
  ["+0.9", "invalid"],
  ['"0.9"', "invalid"],
  ["null", "invalid"],
  ["true", "invalid"],
  ["[0.9]", "invalid"],
  ['0.1}\n{"score": 0.9', "invalid"],
  ['0.1, "score": 0.9', "invalid"],
  ['0.9, "invalid": "no"', "invalid"],
];

/** Numbers that one parser refuses and the next one repairs. */
export default hostile({
  id: "T15",
  tries: "scores that are infinite, half numbers, texts, two at once",
  promise: "invalid unless it is one finite number",
  play: numbers.map(([text, verdict]) => ({
    name: JSON.stringify(text),
    revision: python(`leave(${JSON.stringify(text)})`),
    rootFirst: true,
    expects: verdict,
    holds: ({ result }) => assert.ok(verdict === "scored" || result.quality !== 1),
  })),
});
