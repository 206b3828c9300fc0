/** What is said of a tuned model. */
import { expect, test } from "vitest";
import { tunedRows } from "../../../../src/client/words/tuning-text.ts";
import type { Fingerprint } from "../../../../src/core/tuning/tuned-model.ts";
import { tuned } from "../../extension/sample.ts";

const fingerprintRow = (change: Partial<Fingerprint>): string | undefined => {
  const fingerprint = { effect: 0.02, file: 0.0004, served: 0.0012, servedFromBase: 0.02, proven: true };
  const rows = new Map(tunedRows(tuned("m1", { fingerprint: { ...fingerprint, ...change } })));
  return rows.get("fingerprint");
};

test("a fingerprint tells how far the server is from either; one that proves nothing says so", () => {
  const distances = "the server is 0.0012 nats from the tuned weights, 0.020 nats from the base";
  expect(fingerprintRow({})).toBe(distances);
  expect(fingerprintRow({ proven: false })).toBe(
    `${distances}: too little was learned to tell them apart by its answers`,
  );
});
