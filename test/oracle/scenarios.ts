/**
 * Random tasks, settings and groups. Everything is on coarse grids more often than not, so that what is rare in
 * real numbers is common here: equal qualities, equal variances, identical snapshots, thresholds met exactly.
 */
import fc from "fast-check";
import { strategies } from "../../src/core/history.ts";
import { defaultSettings } from "../../src/core/settings.ts";
import { solutionFormats } from "../../src/core/task.ts";
import type { ScoreRange, Verdict } from "../../src/core/verdict.ts";

/** EXIT.md section 1, not the engine's own list. */
const failing = [
  "invalid",
  "crash",
  "oom",
  "timeout",
  "output_limit",
  "disk_limit",
] as const satisfies Verdict[];

/** What the sandbox says of a solution: always the same, since identical snapshots share their result. */
const resultAt = (place: fc.Arbitrary<number>) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ verdict: fc.constant("scored" as const), place }) },
    {
      weight: 2,
      arbitrary: fc.record({
        verdict: fc.constantFrom(...failing),
        place: fc.constant(null),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ verdict: fc.constant("quarantine" as const), place: fc.constant(null) }),
    },
  );

/** Standard error of a quality: unknown, none, or something. */
const qualitySE = fc.constantFrom(null, null, null, 0, 0.005, 0.01, 0.04);

/** A solution: its result, and its embedding. */
const contentAt = (place: fc.Arbitrary<number>) =>
  fc.record({
    result: resultAt(place),
    qualitySE,
    embedding: fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }), fc.constant(1)),
  });
export type Content = ReturnType<typeof contentAt> extends fc.Arbitrary<infer T> ? T : never;

/** Where scores lie between worst (0) and best (1), and beyond. */
const anywhere = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -1, max: 11 }).map((k) => k / 10) },
  { weight: 2, arbitrary: fc.integer({ min: 40, max: 60 }).map((k) => k / 100) },
  { weight: 1, arbitrary: fc.integer({ min: -2e5, max: 12e5 }).map((k) => k / 1e6) },
);
/** A plateau near worst: differences of exactly 0.01, and of exactly twice a standard error. */
const plateau = fc.constantFrom(0, 0.01, 0.02, 0.08);

/** The solutions that can be handed in. */
export const contents = (least: number, most: number): fc.Arbitrary<Content[]> => {
  const length = { minLength: least, maxLength: most, size: "max" } as const;
  return fc.oneof(
    { weight: 3, arbitrary: fc.array(contentAt(anywhere), length) },
    { weight: 1, arbitrary: fc.array(contentAt(plateau), length) },
  );
};

export const task = fc.record({
  format: fc.constantFrom(...solutionFormats),
  reward: fc.constantFrom("relative" as const, "absolute" as const, undefined, undefined),
  range: fc.constantFrom<ScoreRange>(
    { worst: 0, best: 1 },
    { worst: 1, best: 0 },
    { worst: 0, best: 100 },
    { worst: 7, best: -3 },
    { worst: -1, best: 1 },
    { worst: 1e6, best: 0 },
  ),
});
export type TaskPlan = typeof task extends fc.Arbitrary<infer T> ? T : never;

export const rawScore = ({ worst, best }: ScoreRange, place: number | null): number | null =>
  place === null ? null : worst + place * (best - worst);

export const settings = fc
  .record({
    capacity: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 9, 12, 24),
    minBuffer: fc.integer({ min: 1, max: 4 }),
    kappa: fc.constantFrom(0, 1, 5, 20),
    p: fc.constantFrom(null, null, 0, 0.3, 0.9, 1),
    pDiv: fc.constantFrom(null, null, 0, 0.4, 1),
    lambda: fc.constantFrom(0, 0.1, 0.1, 0.5),
    insert: fc.constantFrom("one" as const, "all" as const),
    maxPolicyAge: fc.constantFrom(0, 1, 1, 2),
    pipelineDepth: fc.constantFrom(1, 2),
    paper: fc.constantFrom(false, false, false, true),
  })
  .map((chosen) => ({ ...defaultSettings, ...chosen }));
type SettingsPlan = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** The settings under the names the oracle takes. */
export function settingsForOracle({ capacity, minBuffer, kappa, p, pDiv, ...rest }: SettingsPlan): object {
  const { lambda, insert, maxPolicyAge, pipelineDepth: depth, paper } = rest;
  return { N: capacity, bMin: minBuffer, kappa, p, pDiv, lambda, insert, maxPolicyAge, depth, paper };
}

export const strategy = fc.constantFrom(...strategies);

/** What one member does: hands in a solution, keeps the start's, is unreadable, or is lost to the sandbox. */
export const deed = fc.oneof(
  { weight: 12, arbitrary: fc.record({ does: fc.constant("revise" as const), content: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("keep" as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("babble" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom("infra" as const, "eval_error" as const, "cancelled" as const),
      content: fc.nat(),
    }),
  },
);
export type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;
