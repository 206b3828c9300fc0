import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advantages,
  centroidDistances,
  diversityFactors,
  isInformative,
  learnability,
  type RewardMember,
  rewards,
  ruleOf,
} from "../../../src/core/reward.ts";

const relative = { rule: "relative", lambda: 0.1 } as const;
const absolute = { rule: "absolute", lambda: 0.1 } as const;
const member = (quality: number | null, more: Partial<RewardMember> = {}): RewardMember => ({
  quality,
  failed: false,
  unchanged: false,
  ...more,
});

describe("learnability", () => {
  it("is the population variance of the qualities", () => {
    expect(learnability([0, 1])).toBe(0.25);
    expect(learnability([0.2, 0.4, 0.6])).toBeCloseTo(0.08 / 3, 12);
  });

  it("leaves members without a quality out, and needs two", () => {
    expect(learnability([0, null, 1])).toBe(0.25);
    expect(learnability([0.5, null])).toBeNull();
    expect(learnability([])).toBeNull();
  });

  it("is exactly 0 where all qualities are equal, whatever they round to", () => {
    for (const quality of [0.1, 0.3, 0.7, 1 / 3])
      for (const count of [2, 3, 5, 7, 8]) expect(learnability(Array<number>(count).fill(quality))).toBe(0);
  });

  it("does not depend on the order of the members", () => {
    const values = [0.1, 0.7, 0.35, 0.2, 0.9];
    expect(learnability([...values].reverse())).toBe(learnability(values));
    expect(learnability([1, 0, 0])).toBe(learnability([0, 1, 1]));
  });
});

describe("rewards", () => {
  it("are the share of the possible gain under the relative rule", () => {
    const got = rewards([member(0.75), member(0.5), member(0.25)], relative, 0.5);
    expect(got).toEqual([0.5, 0, 0]);
  });

  it("cost lambda for a failed or an unchanged member, so that staying valid pays", () => {
    const members = [member(0, { failed: true }), member(0.5, { unchanged: true }), member(null)];
    expect(rewards(members, relative, 0.5)).toEqual([-0.1, -0.1, null]);
    expect(rewards(members, { ...relative, lambda: 0 }, 0.5)).toEqual([0, 0, null]);
  });

  it("are all or nothing from a perfect start", () => {
    expect(rewards([member(1), member(0.9)], relative, 1)).toEqual([1, 0]);
    // An unchanged member is unchanged there too, whatever lambda is.
    const unchanged = [member(1, { unchanged: true })];
    expect(rewards(unchanged, relative, 1)).toEqual([-0.1]);
    expect(rewards(unchanged, { ...relative, lambda: 0 }, 1)).toEqual([0]);
  });

  it("are the quality itself under the absolute rule, failed or not", () => {
    expect(rewards([member(0.7), member(0, { failed: true })], absolute, 0.5)).toEqual([0.7, 0]);
  });

  it("are relative only for improve and debug steps of a relative task", () => {
    expect(ruleOf("improve", "relative")).toBe("relative");
    expect(ruleOf("debug", "relative")).toBe("relative");
    expect(ruleOf("diverge", "relative")).toBe("absolute");
    expect(ruleOf("solve", "relative")).toBe("absolute");
    expect(ruleOf("improve", "absolute")).toBe("absolute");
  });
});

describe("advantages", () => {
  it("are normalised by the unbiased deviation", () => {
    const std = Math.sqrt(0.5);
    expect(advantages([1, 0])).toEqual([0.5 / (std + 1e-4), -0.5 / (std + 1e-4)]);
  });

  it("sum to zero and skip members without a reward", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 12 }), (r) => {
        const A = advantages(r);
        const known = A.filter((value) => value !== null);
        expect(A.map((value) => value === null)).toEqual(
          r.filter((value) => value !== null).length < 2
            ? r.map(() => true)
            : r.map((value) => value === null),
        );
        expect(Math.abs(known.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-6);
      }),
    );
  });
});

describe("diversity", () => {
  it("measures distances from the centroid, of which members without a solution are no part", () => {
    expect(centroidDistances([[0, 0], null, [2, 0], [1, 0]])).toEqual([1, null, 1, 0]);
    expect(centroidDistances([null, null])).toEqual([null, null]);
    expect(centroidDistances([])).toEqual([]);
  });

  it("is the distance over the mean distance, within [0.5, 2]", () => {
    expect(diversityFactors([1, 1, 0], false)).toEqual([1.5, 1.5, 0.5]);
    expect(diversityFactors([9, 1, 1, 1], false)).toEqual([2, 0.5, 0.5, 0.5]);
  });

  it("is 1 for members without a solution", () => {
    expect(diversityFactors([1, null, 1], false)).toEqual([1, 1, 1]);
    expect(diversityFactors([null, null], true)).toEqual([1, 1]);
  });

  it("is 1 for all when all are equal", () => {
    expect(diversityFactors([0, 0], false)).toEqual([1, 1]);
    expect(diversityFactors([0, 0], true)).toEqual([1, 1]);
  });

  it("is the paper's unclamped ratio where the paper's rule is asked for", () => {
    expect(diversityFactors([2, 2, 0], true)).toEqual([1, 1, 0]);
    expect(diversityFactors([3, 3, 2], true)).toEqual([3, 3, 2]);
  });
});

describe("informative groups", () => {
  it("need a spread of rewards of at least 0.01", () => {
    expect(isInformative([0.5, 0.52], absolute, null, null)).toBe(true);
    expect(isInformative([0.5, 0.505], absolute, null, null)).toBe(false);
    expect(isInformative([0.5, null], absolute, null, null)).toBe(false);
  });

  it("need more than the noise of the start, in the units of the reward", () => {
    // 2 * 0.02 / (1 - 0.5) = 0.08
    expect(isInformative([0, 0.07], relative, 0.5, 0.02)).toBe(false);
    expect(isInformative([0, 0.09], relative, 0.5, 0.02)).toBe(true);
    expect(isInformative([0, 0.05], relative, 1, 0.02)).toBe(true);
  });
});
