/** The engine against the oracle, a second implementation written from EXIT.md alone (README.md). */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isHeldOut } from "../../src/core/closing.ts";
import { describeWith } from "../support/without.ts";
import { differences } from "./differences.ts";
import { sha256 } from "./members.ts";
import { type Oracle, startOracle } from "./oracle.ts";
import { groupPlan, playGroup } from "./play-group.ts";
import { historyPlan, playHistory } from "./play-history.ts";

const seed = 20250904;

describeWith("oracle")("the engine and the oracle", () => {
  let oracle: Oracle;
  beforeAll(() => {
    oracle = startOracle();
  });
  afterAll(() => oracle.close());

  const agree = async ({ scenario, answer }: { scenario: object; answer: object }): Promise<void> => {
    const found = differences(answer, await oracle.ask(scenario));
    expect(found.slice(0, 5)).toEqual([]);
  };

  it("agree on S, rewards, diversity, advantages and the informative test of 4,000 random groups", async () => {
    const groups = fc.asyncProperty(groupPlan, async (plan) => {
      const played = playGroup(plan);
      fc.pre(played !== null);
      if (played !== null) await agree(played);
    });
    await fc.assert(groups, { seed, numRuns: 4000 });
  });

  // A failing history is not shrunk, which would take hours; of its differences the first few tell.
  it.each([
    { count: 200, length: 500 },
    { count: 500, length: 40 },
  ])(
    "agree on starts, goals, groups and the buffer over $count histories of $length iterations",
    async ({ count, length }) => {
      const histories = fc.asyncProperty(historyPlan(length), async (plan) => agree(playHistory(plan)));
      await fc.assert(histories, { seed, numRuns: count, endOnFailure: true });
    },
  );

  it("agree on which subtrees are held out from birth", async () => {
    const snapshots = fc.asyncProperty(fc.string(), async (snapshot) =>
      agree({ scenario: { kind: "heldOut", snapshot }, answer: { heldOut: isHeldOut(snapshot, sha256) } }),
    );
    await fc.assert(snapshots, { seed, numRuns: 200 });
  });
});
