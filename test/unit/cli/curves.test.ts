/** The tables of `exit-ml evaluate`. */
import { expect, test } from "vitest";
import { evaluationText } from "../../../src/cli/curve-text.ts";
import { makeStyle } from "../../../src/client/words/style.ts";
import type { CurveRow, Estimate, EvaluationReport } from "../../../src/protocol/results.ts";

const estimate = (mean: number, spread = 0): Estimate => ({
  mean,
  low: mean - spread,
  high: mean + spread,
  overTasks: null,
});

const row = (k: number, quality: Estimate, net = 0, valid = 1): CurveRow => ({
  k,
  quality,
  best: quality,
  netCorrections: estimate(net),
  valid: estimate(valid),
});

const report: EvaluationReport = {
  K: 1,
  n: 4,
  seed: 7,
  starts: ["a", "b"].map((task) => ({ task, node: null, verdict: "scored", quality: 0.5 })),
  sameTask: false,
  leftOut: [],
  protocols: [
    {
      protocol: "chain",
      starts: 2,
      policies: [
        {
          policy: "small@1.2#v0",
          chains: 8,
          dropped: 0,
          rows: [row(0, estimate(0.5)), row(1, estimate(0.6, 0.1), 0.25, 0.75)],
          difference: null,
        },
        {
          policy: "other@3.4#v0",
          chains: 7,
          dropped: 1,
          rows: [row(0, estimate(0.5)), row(1, estimate(0.9, 0.05), 1)],
          difference: [row(0, estimate(0)), row(1, estimate(0.3, 0.12))],
        },
      ],
    },
  ],
  steps: { made: 16, earlier: 4 },
  scorings: { asked: 12, cached: 9 },
  ms: 61_000,
};

const text = (changed: EvaluationReport): string => evaluationText(changed, makeStyle(false)).join("\n");

test("one table a policy, k by k, compared with the first and drawn to one scale", () => {
  expect(text(report)).toBe(
    [
      "2 tasks, 4 chains each, 1 step, seed 7. Quality from 0 to 1; k = 0 is the start as it is; in brackets 95 % intervals over chains.",
      "",
      "chain: each step goes on from the latest iterate",
      "",
      "small  8 chains",
      "k  quality               best so far  net corrections  valid  0.500 ·········· 0.950",
      "0  0.500                 0.500        +0.000           100 %  ●",
      "1  0.600 [0.500, 0.700]  0.600        +0.250           75 %   ─────●─────",
      "",
      "other  7 chains, 1 dropped (a step had no quality twice)",
      "k  quality               best so far  net corrections  valid  minus small              0.500 ·········· 0.950",
      "0  0.500                 0.500        +0.000           100 %                           ●",
      "1  0.900 [0.850, 0.950]  0.900        +1.000           100 %  +0.300 [+0.180, +0.420]                    ──●───",
      "",
      "16 steps, 4 of them made before; the score cache answered 9 of 12 scores (75 %). Took 1 min 01 s.",
    ].join("\n"),
  );
});

test("what the numbers do not cover is said", () => {
  expect(text({ ...report, sameTask: true })).toContain("Same task:");
  const leftOut = [{ task: "broken", reason: "It does not score." }];
  expect(text({ ...report, leftOut })).toContain("Left out: broken. It does not score.");
  const [chain] = report.protocols;
  const counted = { protocol: "chain", starts: 1, policies: chain?.policies ?? [] } as const;
  expect(text({ ...report, protocols: [counted] })).toContain("1 of 2 starts count");
  const none = { protocol: "greedy", starts: 0, policies: [] } as const;
  expect(text({ ...report, protocols: [none] })).toContain("nothing can be compared");
});

test("two versions of one model have their whole names; an interval over tasks is labelled", () => {
  const [chain] = report.protocols;
  const overTasks = { low: 0.4, high: 0.8 };
  const policies = (chain?.policies ?? []).map((curve, place) => ({
    ...curve,
    policy: `small@${place}#v${place}`,
    rows: curve.rows.map((entry) => ({ ...entry, quality: { ...entry.quality, overTasks } })),
  }));
  const printed = text({ ...report, protocols: [{ protocol: "chain", starts: 2, policies }] });
  expect(printed).toContain("small@0#v0  8 chains");
  expect(printed).toContain("minus small@0#v0");
  expect(printed).toContain("Over tasks as well, at k = 1: quality [0.400, 0.800]");
});
