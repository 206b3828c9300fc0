import { expect, test } from "vitest";
import { confirmationText } from "../../../../src/client/words/confirmation-text.ts";
import { metricNames } from "../../../../src/client/words/metric.ts";
import type { Confirmation } from "../../../../src/protocol/results.ts";

const metrics = metricNames([]);
const trial = { seed: 1000, verdict: "scored", score: 5, quality: 0.5 } as const;
const confirmation: Confirmation = {
  ...{ task: "t", at: "2026-01-01T00:00:00Z", evaluator: "e", range: { worst: 10, best: 0 } },
  root: { node: "n1", trials: Array(8).fill(trial) },
  candidates: [{ node: "n4", trials: Array(8).fill(trial) }],
  comparisons: [
    { node: "n4", gain: 0.05, interval: [0.01, 0.09], deterministic: false, p: 0.001, isGain: true },
  ],
  winner: "n4",
  holdout: null,
};

test("a gain is told in the metric's unit with its interval, and the holdout beside it", () => {
  expect(confirmationText(confirmation, metrics)).toBe(
    "n4 gains score 0.5 over the root (0.1 to 0.9, on 8 fresh seeds)",
  );
  const side = (score: number | null) =>
    ({ verdict: score === null ? "crash" : "scored", score, quality: null }) as const;
  expect(
    confirmationText({ ...confirmation, holdout: { root: side(null), winner: side(4.2) } }, metrics),
  ).toMatch(/; holdout 4\.2, root crash$/);
});

test("a gain of a task without noise is labelled deterministic", () => {
  const comparisons = confirmation.comparisons.map((made) => ({ ...made, deterministic: true, p: null }));
  const root = { node: "n1", trials: Array(3).fill(trial) };
  expect(confirmationText({ ...confirmation, comparisons, root }, metrics)).toBe(
    "n4 gains score 0.5 over the root (deterministic: always the same on 3 fresh seeds)",
  );
});

test("a difference within noise is called that, and too few scores no gain", () => {
  const within = {
    node: "n4",
    gain: 0.01,
    interval: [-0.02, 0.04],
    deterministic: false,
    p: 0.2,
    isGain: false,
  } as const;
  expect(confirmationText({ ...confirmation, winner: null, comparisons: [within] }, metrics)).toBe(
    "no gain beyond noise: n4 differs from the root by score 0.1 (-0.2 to 0.4, on 8 fresh seeds)",
  );
  const lost = { ...within, gain: null, interval: null, p: null };
  expect(confirmationText({ ...confirmation, winner: null, comparisons: [lost] }, metrics)).toContain(
    "too few scores",
  );
});
