/** When a bootstrap ends (EXIT.md section 7). */
import { expect, test } from "vitest";
import type { Gate } from "../../../../src/core/tuning/gate.ts";
import { type Bootstrap, endOf, leastGroups, type Round } from "../../../../src/core/tuning/rounds.ts";
import { defaultTraining } from "../../../../src/core/tuning/tuned-model.ts";

const at = "2030-01-01T00:00:00Z";
const round = (number: number, promoted: boolean): Round => ({
  ...{ number, promoted, step: "done", startedAt: at, endedAt: at },
  ...{ run: "r1", informative: 48, model: `m${number}`, gate: `g${number}` },
});
const bootstrap = (
  promoted: readonly boolean[],
  change: { rounds?: number; spentMs?: number } = {},
): Bootstrap => ({
  ...{ id: "b1", model: { runtime: null, model: null, endpoint: null } },
  ...{ startedAt: at, endedAt: null, ended: null, interruption: null, spentMs: change.spentMs ?? 0 },
  settings: {
    ...{ hours: 2, rounds: change.rounds ?? null, groups: 48, collectHours: null },
    ...{ search: {}, chains: [16, 64], K: 4, seed: 0, allowMissing: [] },
    training: defaultTraining,
  },
  rounds: promoted.map((value, place) => round(place + 1, value)),
});

test("it goes on while rounds bring better models and there is time", () => {
  expect(endOf(bootstrap([]), [])).toBeNull();
  expect(endOf(bootstrap([false, true, true, false]), [])).toBeNull();
});

test("two rounds in a row without a promotion end it", () => {
  expect(endOf(bootstrap([true, false, false]), [])).toMatch(/Two rounds/);
  expect(endOf(bootstrap([false, true, false]), [])).toBeNull();
});

test("so do the budget and the number of rounds that were asked for", () => {
  expect(endOf(bootstrap([true], { spentMs: 2 * 3_600_000 }), [])).toMatch(/time/);
  expect(endOf(bootstrap([true, true], { rounds: 2 }), [])).toMatch(/All 2 rounds/);
});

test("no round is begun in less than half of the time that one took", () => {
  expect(endOf(bootstrap([true], { spentMs: 1.3 * 3_600_000 }), [])).toBeNull();
  expect(endOf(bootstrap([true], { spentMs: 1.4 * 3_600_000 }), [])).toMatch(/less is left than half/);
});

test("a gate that could test nothing ends it: the next one could not either", () => {
  const untested = { id: "g1", decision: "untested", reason: "Nothing here can prove it." } as Gate;
  expect(endOf(bootstrap([false]), [untested])).toBe("Nothing here can prove it.");
  expect(endOf(bootstrap([false, false]), [untested])).toMatch(/Two rounds/);
});

test("a quarter of the informative iterations is the least to learn from", () => {
  expect(leastGroups({ groups: 48 })).toBe(12);
  expect(leastGroups({ groups: 5 })).toBe(2);
});
