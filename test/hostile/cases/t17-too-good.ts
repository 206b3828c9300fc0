import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** A value nobody reaches honestly. */
export default hostile({
  id: "T17",
  tries: "a score too good to be true",
  promise: "quarantine; shown, without a quality",
  play: ["1.0", "7e5", "-11"].map((value) => ({
    name: value,
    revision: python(`leave("${value}")`),
    expects: "quarantine" as const,
    holds: ({ result }) => assert.equal(result.quality, null),
  })),
});
