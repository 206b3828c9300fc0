import { describe, expect, it } from "vitest";
import { curvesOf, type MeasuredChain } from "../../../../src/core/evaluate/curves.ts";
import {
  bootstrap,
  differences,
  estimates,
  leastTasks,
  quantile,
} from "../../../../src/core/evaluate/statistics.ts";
import { draw } from "../../../../src/core/rng.ts";

const draws = { seed: 5, name: "a" };

it("a quantile lies between its neighbours, by its distance to each", () => {
  expect(quantile([0, 10, 20, 30, 40], 0.5)).toBe(20);
  expect(quantile([0, 10, 20, 30, 40], 0.025)).toBeCloseTo(1);
  expect(quantile([0, 10, 20, 30, 40], 0.975)).toBeCloseTo(39);
});

describe("the bootstrap", () => {
  it("averages over chains first and over starts then, so that each start weighs the same", () => {
    const sample = [
      [[0.2], [0.4]],
      [[0.9], [0.9], [0.9], [0.9]],
    ];
    // (0.3 + 0.9) / 2
    expect(estimates(bootstrap(sample, draws, true))[0]?.mean).toBeCloseTo(0.6);
  });

  it("resamples chains within a start, never the starts: without spread inside there is no interval", () => {
    const sample = [
      [[0.1], [0.1]],
      [[0.9], [0.9]],
    ];
    expect(estimates(bootstrap(sample, draws, true))[0]).toMatchObject({ mean: 0.5, low: 0.5, high: 0.5 });
  });

  it("finds the interval of a hand-worked case", () => {
    // Two chains of 0 and 1: a resample has mean 0, 1/2 or 1 with probability 1/4, 1/2, 1/4.
    const { mean, low, high } = estimates(bootstrap([[[0], [1]]], draws, true))[0] ?? {};
    expect([mean, low, high]).toEqual([0.5, 0, 1]);
    // Ten starts like it: the mean of ten such means has variance 1/80; 1.96 standard deviations are 0.219.
    const ten = Array.from({ length: 10 }, () => [[0], [1]]);
    const [wide] = estimates(bootstrap(ten, draws, false));
    expect(wide?.low).toBeGreaterThan(0.5 - 0.27);
    expect(wide?.low).toBeLessThan(0.5 - 0.17);
    expect(wide?.high).toBeGreaterThan(0.5 + 0.17);
    expect(wide?.high).toBeLessThan(0.5 + 0.27);
  });

  it("gives the same interval every time, and another for another seed", () => {
    const sample = [Array.from({ length: 16 }, (_, chain) => [draw(1, chain, "value")])];
    const once = estimates(bootstrap(sample, draws, true));
    expect(estimates(bootstrap(sample, draws, true))).toEqual(once);
    expect(estimates(bootstrap(sample, { ...draws, seed: 6 }, true))).not.toEqual(once);
  });

  it("draws one resample for all numbers of a chain: their difference has no spread of its own", () => {
    const sample = [Array.from({ length: 8 }, (_, chain) => [chain, chain + 1])];
    const { resamples } = bootstrap(sample, draws, true);
    for (const [a = 0, b = 0] of resamples) expect(b - a).toBeCloseTo(1);
  });

  it("compares two policies by differences of resamples drawn apart", () => {
    const sample = [[[0], [1]]];
    const [same] = differences(
      bootstrap(sample, { seed: 5, name: "a" }, true),
      bootstrap(sample, { seed: 5, name: "b" }, true),
    );
    expect(same).toMatchObject({ mean: 0, low: -1, high: 1 });
  });

  it("speaks of tasks only where there are enough of them", () => {
    const tasks = (count: number) => Array.from({ length: count }, (_, task) => [[task], [task]]);
    expect(estimates(bootstrap(tasks(leastTasks - 1), draws, true))[0]?.overTasks).toBeNull();
    expect(estimates(bootstrap(tasks(leastTasks), draws, false))[0]?.overTasks).toBeNull();
    const [over] = estimates(bootstrap(tasks(leastTasks), draws, true));
    // No spread within the tasks, much between them.
    expect(over).toMatchObject({ mean: 4.5, low: 4.5, high: 4.5 });
    expect(over?.overTasks?.low).toBeGreaterThan(2);
    expect(over?.overTasks?.low).toBeLessThan(3.5);
  });

  it("covers the truth about as often as it says", { timeout: 60_000 }, () => {
    let covered = 0;
    const times = 60;
    for (let time = 0; time < times; time++) {
      const sample = [Array.from({ length: 24 }, (_, chain) => [draw(time, 0, "truth", chain)])];
      const [estimate] = estimates(bootstrap(sample, { seed: time, name: "a" }, true));
      if (estimate && estimate.low <= 0.5 && 0.5 <= estimate.high) covered++;
    }
    expect(covered / times).toBeGreaterThan(0.85);
    expect(covered / times).toBeLessThanOrEqual(1);
  });
});

describe("curves", () => {
  const chain = (...quality: number[]): MeasuredChain => ({
    quality,
    valid: quality.map((q) => q > 0),
    bestQuality: quality.map((_, k) => Math.max(...quality.slice(0, k + 1))),
  });
  const cell = (...chains: MeasuredChain[]) => ({ chains, dropped: 0 });
  const how = { protocol: "chain", K: 2, seed: 1, areTasks: true } as const;

  it("have, by k, the mean, the best so far, improved minus worsened, and the valid share", () => {
    const [curve] = curvesOf(
      [
        {
          policy: "p",
          cells: [cell(chain(0.4, 0.6, 0.2), chain(0.4, 0, 0.8), chain(0.4, 0.4, 0.5), chain(0.4, 0.5, 0.5))],
        },
      ],
      how,
    );
    const row = (k: number) => {
      const { quality, best, netCorrections, valid } = curve?.rows[k] ?? {};
      return [quality, best, netCorrections, valid].map((estimate) => Number(estimate?.mean.toFixed(6)));
    };
    expect(row(0)).toEqual([0.4, 0.4, 0, 1]);
    // 0.6, 0, 0.4, 0.5: two improved, one worsened of four.
    expect(row(1)).toEqual([0.375, 0.475, 0.25, 0.75]);
    // 0.2, 0.8, 0.5, 0.5: three improved, one worsened.
    expect(row(2)).toEqual([0.5, 0.6, 0.5, 1]);
  });

  it("are compared with the first policy's over the starts from which both have chains", () => {
    const lost = { chains: [], dropped: 4 };
    const curves = curvesOf(
      [
        { policy: "a", cells: [cell(chain(0.4, 0.4, 0.4)), cell(chain(0, 0.1, 0.1))] },
        { policy: "b", cells: [cell(chain(0.4, 0.5, 0.7)), lost] },
      ],
      how,
    );
    expect(curves.map(({ difference }) => difference?.[2]?.quality.mean.toFixed(3))).toEqual([
      undefined,
      "0.300",
    ]);
    expect(curves[0]?.rows[2]?.quality.mean).toBeCloseTo(0.4);
    expect(curves.map(({ chains, dropped }) => [chains, dropped])).toEqual([
      [1, 0],
      [1, 4],
    ]);
    expect(curvesOf([{ policy: "b", cells: [lost] }], how)).toEqual([]);
  });
});
