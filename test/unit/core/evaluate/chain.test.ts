import { describe, expect, it } from "vitest";
import type { EvaluationStep, Iterate, Protocol } from "../../../../src/core/evaluate/cell.ts";
import { type ChainState, followChain, type Trajectory } from "../../../../src/core/evaluate/chain.ts";
import type { Verdict } from "../../../../src/core/verdict.ts";

const root: Iterate = {
  snapshot: "root",
  verdict: "scored",
  score: 50,
  quality: 0.5,
  qualitySE: null,
  feedback: null,
};

/** A step that made `snapshot` with this quality; null: nothing was made. */
function step(
  k: number,
  snapshot: string | null,
  quality: number | null,
  verdict: Verdict = "scored",
  attempt: 0 | 1 = 0,
): EvaluationStep {
  const edit = { kind: snapshot === null ? "none" : "json", repairs: [], problem: null, paths: [] } as const;
  const outcome = {
    edit,
    snapshot,
    verdict,
    score: null,
    quality,
    qualitySE: null,
    feedback: verdict,
    cached: null,
  };
  const drawn = { seed: 1, text: "", finish: "stop", constrained: null, tokens: 1, ms: 1 } as const;
  return { ...drawn, chain: 3, k, attempt, start: "?", goal: "improve", prompt: "", outcome };
}

const nothing = (k: number): EvaluationStep => step(k, null, 0, "invalid");

function next(steps: readonly EvaluationStep[], protocol: Protocol, from = root): string {
  const state = followChain(3, from, steps, protocol, 10);
  return state.kind === "sample" ? state.start.snapshot : state.kind;
}

function finished(state: ChainState): Trajectory {
  if (state.kind !== "done") throw new Error(`the chain is not done: ${state.kind}`);
  return state.trajectory;
}

describe("a chain", () => {
  it("goes on from the latest iterate, whatever it is worth", () => {
    expect(next([], "chain")).toBe("root");
    expect(next([step(1, "a", 0.2)], "chain")).toBe("a");
    expect(next([step(1, "a", 0.2), step(2, "b", 0, "crash")], "chain")).toBe("b");
  });

  it("goes on from the last iterate with a snapshot after a step without one, which counts 0", () => {
    const steps = [step(1, "a", 0.7), nothing(2)];
    expect(next(steps, "chain")).toBe("a");
    const { quality, valid, best } = finished(followChain(3, root, steps, "chain", 2));
    expect(quality).toEqual([0.5, 0.7, 0]);
    expect(valid).toEqual([true, true, false]);
    expect(best.map(({ snapshot }) => snapshot)).toEqual(["root", "a", "a"]);
  });

  it("gives the next step what the verdict of its start says", () => {
    const state = followChain(3, root, [step(1, "a", 0, "crash")], "chain", 2);
    expect(state).toMatchObject({ kind: "sample", start: { verdict: "crash", feedback: "crash" } });
  });
});

describe("greedy", () => {
  it("goes on from the best so far, the earlier one of equals", () => {
    const steps = [step(1, "a", 0.7), step(2, "b", 0.6), step(3, "c", 0.7)];
    expect(next(steps.slice(0, 1), "greedy")).toBe("a");
    expect(next(steps.slice(0, 2), "greedy")).toBe("a");
    expect(next(steps, "greedy")).toBe("a");
    expect(next([...steps, step(4, "d", 0.8)], "greedy")).toBe("d");
  });

  it("goes on from the newest failed solution as long as nothing scores", () => {
    const broken: Iterate = { ...root, verdict: "crash", quality: 0, score: null };
    const steps = [step(1, "a", 0, "crash"), step(2, "b", 0, "scored"), step(3, "c", 0, "crash")];
    expect(next(steps.slice(0, 1), "greedy", broken)).toBe("a");
    expect(next(steps.slice(0, 2), "greedy", broken)).toBe("b");
    expect(next(steps, "greedy", broken)).toBe("b");
  });
});

describe("a step without a quality", () => {
  it("is repeated once, from the same start", () => {
    const steps = [step(1, "a", 0.6), step(2, null, null, "infra")];
    const state = followChain(3, root, steps, "chain", 3);
    expect(state).toMatchObject({
      kind: "sample",
      place: { chain: 3, k: 2, attempt: 1 },
      start: { snapshot: "a" },
    });
    const mended = [...steps, step(2, "b", 0.8, "scored", 1)];
    expect(finished(followChain(3, root, mended, "chain", 2)).quality).toEqual([0.5, 0.6, 0.8]);
  });

  it("drops the chain when the repetition has none either", () => {
    const steps = [step(1, "x", null, "quarantine"), step(1, "y", null, "infra", 1)];
    expect(followChain(3, root, steps, "chain", 3)).toEqual({ kind: "dropped" });
  });
});

it("a reply without an outcome is scored before anything else is sampled", () => {
  const unscored = { ...step(2, null, 0), outcome: null };
  const state = followChain(3, root, [step(1, "a", 0.6), unscored], "chain", 3);
  expect(state).toMatchObject({ kind: "score", step: { k: 2 }, start: { snapshot: "a" } });
});

it("a finished chain gets further steps when more are asked for", () => {
  const steps = [step(1, "a", 0.6)];
  expect(followChain(3, root, steps, "chain", 1).kind).toBe("done");
  expect(next(steps, "chain")).toBe("a");
});
