/** Which replies become examples for TRL, and why the others do not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noFilter } from "../../../../src/core/export/select.ts";
import { toDpo, toKto, toSft } from "../../../../src/core/export/trl.ts";
import { group, numberIn, reply } from "./group.ts";

const improving = { ...noFilter, improving: true };
const rewarded = (...rewards: (number | null)[]) =>
  group(rewards.map((reward, index) => reply(index, reward)));

describe("SFT", () => {
  it("takes the replies with the highest reward, whole, after the group's own messages", () => {
    const { rows, left } = toSft(noFilter)(rewarded(0.2, 0.7, 0.7, null));
    expect(rows.map(({ completion }) => numberIn(completion))).toEqual([1, 2]);
    expect(rows[0]).toEqual({
      prompt: [
        { role: "system", content: "You improve." },
        { role: "user", content: "Do." },
      ],
      completion: [{ role: "assistant", content: "<think>t</think>reply 1" }],
      reward: 0.7,
      ...{ task: "digits", goal: "improve", group: "g1", policy: "m@d.t#v0" },
    });
    expect(left).toEqual(["no reward", "not among the best"]);
  });

  it("takes none where the best has no reward above 0: nothing in the group is to be imitated", () => {
    const { rows, left } = toSft(noFilter)(rewarded(0, -0.1, 0));
    expect(rows).toEqual([]);
    expect(left).toEqual(["no reward above 0", "not among the best", "no reward above 0"]);
  });

  it("takes equal texts once", () => {
    const twins = group([reply(0, 0.7, { text: "same" }), reply(1, 0.7, { text: "same" }), reply(2, 0.1)]);
    expect(toSft(noFilter)(twins).rows).toHaveLength(1);
    expect(toSft(noFilter)(twins).left).toEqual(["same text as another", "not among the best"]);
  });

  it("takes a best reply only if it beats the start by more than noise, where that is asked for", () => {
    const noisy = { ...rewarded(0.2, 0.58), startSE: 0.05 };
    expect(toSft(improving)(noisy).left).toEqual(["not among the best", "does not pass the filter"]);
    expect(toSft(improving)({ ...noisy, startSE: 0.03 }).rows).toHaveLength(1);
    expect(toSft({ ...noFilter, minQuality: 0.6 })(noisy).rows).toEqual([]);
  });
});

describe("DPO", () => {
  const pairs = (rows: ReturnType<ReturnType<typeof toDpo>>["rows"]) =>
    rows.map(({ chosen, rejected }) => [numberIn(chosen), numberIn(rejected)]);

  it("pairs the best with the worst, the second best with the second worst, equals by their index", () => {
    const { rows, left } = toDpo(noFilter)(rewarded(0.1, 0.9, 0.5, 0.1, 0.9));
    expect(pairs(rows)).toEqual([
      [1, 3],
      [4, 0],
    ]);
    expect(rows[0]).toMatchObject({ chosenReward: 0.9, rejectedReward: 0.1, group: "g1" });
    expect(left).toEqual(["no partner far enough away"]);
  });

  it("makes no pair of replies that noise could tell apart", () => {
    const noisy = { ...rewarded(0.5, 0.6), startSE: 0.06 };
    expect(toDpo(noFilter)(noisy).rows).toEqual([]);
    expect(toDpo(noFilter)({ ...noisy, startSE: 0.04 }).rows).toHaveLength(1);
  });

  it("neither chooses nor rejects a reply that was cut: it has no end to learn", () => {
    const cut = group([reply(0, 0.9), reply(1, 0, { finish: "length" }), reply(2, 0.3)]);
    expect(pairs(toDpo(noFilter)(cut).rows)).toEqual([[0, 2]]);
    expect(toDpo(noFilter)(cut).left).toEqual(["cut short"]);
  });

  it("leaves a chosen reply out that does not pass the filter, and keeps its partner for another", () => {
    const { rows, left } = toDpo({ ...noFilter, minQuality: 0.7 })(
      group([reply(0, 0.9, { quality: 0.6 }), reply(1, 0.8), reply(2, 0.1)]),
    );
    expect(pairs(rows)).toEqual([[1, 2]]);
    expect(left).toEqual(["does not pass the filter"]);
  });
});

describe("KTO", () => {
  it("labels replies by the side of the mean they are on, those near it by none", () => {
    const { rows, left } = toKto(noFilter)(rewarded(0.2, 0.8, 0.503, 0.5));
    expect(rows.map(({ completion, label }) => [numberIn(completion), label])).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(left).toEqual(["near the mean of its iteration", "near the mean of its iteration"]);
  });

  it("calls nothing desirable that has no reward above 0", () => {
    const { rows, left } = toKto(noFilter)(rewarded(0, 0, -0.1));
    expect(rows.map(({ label }) => label)).toEqual([false]);
    expect(left).toEqual(["no reward above 0", "no reward above 0"]);
  });

  it("takes the mean over all rewards of the group, those of replies that are left out too", () => {
    const cut = group([reply(0, 0, { finish: "length" }), reply(1, 0.5), reply(2, 0.6)]);
    expect(toKto(noFilter)(cut).rows.map(({ label }) => label)).toEqual([true, true]);
  });
});

describe("whatever the rewards", () => {
  const rewards = fc.array(fc.option(fc.double({ min: -0.1, max: 1, noNaN: true })), { maxLength: 12 });

  it.each([
    ["SFT", toSft, 1],
    ["DPO", toDpo, 2],
    ["KTO", toKto, 1],
  ] as const)("%s uses each reply once or says why not", (_, convert, replies) => {
    fc.assert(
      fc.property(rewards, fc.boolean(), (values, improves) => {
        const { rows, left } = convert({ ...noFilter, improving: improves })(rewarded(...values));
        expect(rows.length * replies + left.length).toBe(values.length);
      }),
    );
  });

  it("two labels, and the two of a pair, differ by what makes a group informative", () => {
    fc.assert(
      fc.property(rewards, (values) => {
        const labelled = toKto(noFilter)(rewarded(...values)).rows;
        const good = labelled.filter(({ label }) => label).map(({ reward }) => reward);
        const bad = labelled.filter(({ label }) => !label).map(({ reward }) => reward);
        if (good.length > 0 && bad.length > 0)
          expect(Math.min(...good) - Math.max(...bad)).toBeGreaterThan(0.01 - 1e-9);
        for (const { chosenReward, rejectedReward } of toDpo(noFilter)(rewarded(...values)).rows)
          expect(chosenReward - rejectedReward).toBeGreaterThanOrEqual(0.01);
      }),
    );
  });
});
