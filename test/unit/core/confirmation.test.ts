/** What a confirmation calls a gain: by hand, and in simulated runs with and without one. */
import { describe, expect, test } from "vitest";
import {
  candidatesOf,
  compare,
  confirmationSeeds,
  firstLook,
  isDeterministic,
  type Rescored,
} from "../../../src/core/confirmation.ts";
import type { Node } from "../../../src/core/history.ts";
import { draw } from "../../../src/core/rng.ts";

function rescored(node: string, qualities: readonly (number | null)[]): Rescored {
  return {
    node,
    trials: qualities.map((quality, index) => ({
      seed: confirmationSeeds[index] ?? 0,
      verdict: quality === null ? "infra" : "scored",
      score: quality,
      quality,
    })),
  };
}

describe("Simulated runs", () => {
  /** A standard normal draw, keyed. */
  function normal(seed: number, run: number, purpose: string, index: number): number {
    const [u, v] = [draw(seed, run, purpose, 2 * index), draw(seed, run, purpose, 2 * index + 1)];
    return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
  }

  type Noise = (run: number, purpose: string, index: number) => number;
  const gaussian: Noise = (run, purpose, index) => 0.02 * normal(5, run, purpose, index);
  const skewed: Noise = (run, purpose, index) => 0.02 * (1 + Math.log(1 - draw(6, run, purpose, index)));
  const coarse: Noise = (run, purpose, index) => Math.round(gaussian(run, purpose, index) / 0.02) * 0.02;
  const twoValued: Noise = (run, purpose, index) => (draw(7, run, purpose, index) < 0.739 ? 0.01 : 0);
  const outliers: Noise = (run, purpose, index) =>
    gaussian(run, purpose, index) - (draw(8, run, `${purpose}outlier`, index) < 0.05 ? 0.3 : 0);

  const searched = 40;

  /** A run that scored 40 revisions once each, kept the three that looked best and confirmed them. */
  function confirmed(run: number, noise: Noise, trueGain: (revision: number) => number) {
    const seen = Array.from({ length: searched }, (_, revision) => ({
      revision,
      score: 0.5 + trueGain(revision) + noise(run, "search", revision),
    }));
    const top = seen.sort((a, b) => b.score - a.score).slice(0, 3);
    const fresh = (revision: number, name: string): Rescored =>
      rescored(
        name,
        confirmationSeeds.map(
          (_, index) =>
            0.5 + (name === "root" ? 0 : trueGain(revision)) + noise(run, "fresh", revision * 8 + index),
        ),
      );
    const root = fresh(searched, "root");
    const candidates = top.map(({ revision }) => fresh(revision, `n${revision}`));
    const short = [root, ...candidates].map(({ node, trials }) => ({
      node,
      trials: trials.slice(0, firstLook),
    }));
    const [shortRoot, ...shortCandidates] = short;
    return isDeterministic(short) && shortRoot !== undefined
      ? compare(shortRoot, shortCandidates)
      : compare(root, candidates);
  }

  function shareOfGains(runs: number, noise: Noise, trueGain: (revision: number) => number): number {
    let gains = 0;
    for (let run = 0; run < runs; run++) if (confirmed(run, noise, trueGain).winner !== null) gains++;
    return gains / runs;
  }

  const noises = {
    "Gaussian noise": gaussian,
    "skewed noise": skewed,
    "noise in coarse steps": coarse,
    "noise of two values": twoValued,
    "noise with outliers": outliers,
  };
  for (const [name, noise] of Object.entries(noises))
    test(`Of 1,000 runs without a gain at most 5 % report one: ${name}`, () => {
      const share = shareOfGains(1_000, noise, () => 0);
      expect(share).toBeLessThanOrEqual(0.05);
    });

  test("A gain of 4 standard errors is reported in at least 80 % of 1,000 runs", () => {
    // Of the difference of two means of 8 scores each.
    const standardError = 0.02 * Math.sqrt(2 / 8);
    const share = shareOfGains(1_000, gaussian, (revision) => (revision < 3 ? 4 * standardError : 0));
    expect(share).toBeGreaterThanOrEqual(0.8);
  });

  test("So is one that a single candidate of the three has", () => {
    const gain = 4 * 0.02 * Math.sqrt(2 / 8);
    let reported = 0;
    for (let run = 0; run < 1_000; run++) {
      const fresh = (name: string, more: number, place: number): Rescored =>
        rescored(
          name,
          confirmationSeeds.map((_, index) => 0.5 + more + gaussian(run, "alone", place * 8 + index)),
        );
      const { winner } = compare(fresh("root", 0, 0), [
        fresh("a", 0, 1),
        fresh("b", gain, 2),
        fresh("c", 0, 3),
      ]);
      if (winner === "b") reported++;
    }
    expect(reported).toBeGreaterThanOrEqual(800);
  });
});

describe("One confirmation", () => {
  test("Without variance any positive difference is a gain, labelled deterministic", () => {
    const same = (node: string, quality: number): Rescored => rescored(node, Array(8).fill(quality));
    const made = compare(same("root", 0.3), [same("a", 0.3), same("b", 0.3 + 1e-9), same("c", 0.2)]);
    expect(made.winner).toBe("b");
    expect(made.comparisons.map(({ isGain }) => isGain)).toEqual([false, true, false]);
    expect(made.comparisons.every(({ deterministic, p }) => deterministic && p === null)).toBe(true);
    expect(made.comparisons[2]?.interval).toEqual(
      made.comparisons[2] && [made.comparisons[2].gain, made.comparisons[2].gain],
    );
  });

  test("The numbers of Welch's test and its interval are those worked by hand", () => {
    const root = rescored("root", [0.5, 0.52, 0.48, 0.5]);
    const candidate = rescored("a", [0.6, 0.56, 0.58, 0.62]);
    const [only] = compare(root, [candidate]).comparisons;
    // Means .5 and .59; variances of the means .0008/3/4 and .002/3/4; error .015275; t 5.8918; 5.0689 degrees.
    expect(only?.gain).toBeCloseTo(0.09, 12);
    expect(only?.p).toBeCloseTo(0.00095566, 7);
    expect(only?.interval?.[0]).toBeCloseTo(0.09 - 2.560098 * 0.01527525, 6);
    expect(only?.isGain).toBe(true);
  });

  test("An interval excludes 0 below exactly where the gain is called real", () => {
    for (let run = 0; run < 300; run++) {
      const solution = (name: string, place: number, more: number): Rescored =>
        rescored(
          name,
          confirmationSeeds.map((_, index) => more + draw(11, run, "noise", place * 8 + index)),
        );
      const { comparisons } = compare(
        solution("root", 0, 0),
        [1, 2, 3].map((place) => solution(`c${place}`, place, draw(11, run, "more", place))),
      );
      for (const { interval, isGain } of comparisons) expect((interval?.[0] ?? 0) > 0).toBe(isGain);
    }
  });

  test("A solution with fewer than two qualities cannot be compared and is no gain", () => {
    const root = rescored("root", Array(8).fill(0.3));
    const lost = rescored("a", [0.9, ...Array(7).fill(null)]);
    expect(compare(root, [lost])).toEqual({
      comparisons: [{ node: "a", gain: null, interval: null, deterministic: false, p: null, isGain: false }],
      winner: null,
    });
  });

  test("Scores that were not had, or differ, do not count as deterministic", () => {
    expect(isDeterministic([rescored("a", [0.5, 0.5, 0.5]), rescored("b", [0, 0, 0])])).toBe(true);
    expect(isDeterministic([rescored("a", [0.5, 0.5, 0.5]), rescored("b", [0, 0, 0.1])])).toBe(false);
    expect(isDeterministic([rescored("a", [0.5, null, 0.5])])).toBe(false);
    expect(isDeterministic([rescored("a", [null, null, null])])).toBe(false);
  });
});

test("Candidates are the best three distinct solutions above the root, the oldest of each", () => {
  const node = (id: string, quality: number | null, snapshot: string, more: Partial<Node> = {}): Node => ({
    ...{ id, quality, snapshot, task: "t", parent: "n1", depth: 1, goal: "improve", verdict: "scored" },
    ...{
      score: quality,
      qualitySE: null,
      group: "g",
      policy: "p",
      heldOut: false,
      feedback: null,
      evaluator: "e",
    },
    ...more,
  });
  const root = node("n1", 0.4, "a", { parent: null });
  const nodes = [
    root,
    node("n2", 0.5, "b"),
    node("n3", 0.5, "b"),
    node("n4", 0.4, "c"),
    node("n5", 0.9, "d", { task: "other" }),
    node("n6", 0, "e", { verdict: "crash" }),
    node("n7", 0.6, "f"),
    node("n8", 0.45, "g"),
    node("n9", 0.7, "h"),
  ];
  expect(candidatesOf(nodes, root).map(({ id }) => id)).toEqual(["n9", "n7", "n2"]);
  expect(candidatesOf([root], root)).toEqual([]);
});
