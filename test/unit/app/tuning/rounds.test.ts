/** Rounds go on where they were cut off, at every step, and never do a step twice (EXIT.md section 7). */
import { beforeEach, describe, expect, test } from "vitest";
import type { RoundsRequest, RunRequest } from "../../../../src/app/app.ts";
import { bootstrap, type RoundsParts } from "../../../../src/app/tuning/rounds.ts";
import { ExitError } from "../../../../src/core/errors.ts";
import { nothingSpent, type Run } from "../../../../src/core/history.ts";
import type { ClosedGroup, Store } from "../../../../src/core/ports.ts";
import type { RunEvent } from "../../../../src/core/reports.ts";
import { defaultSettings } from "../../../../src/core/settings.ts";
import type { Decision, Gate } from "../../../../src/core/tuning/gate.ts";
import { defaultTraining, type TunedModel } from "../../../../src/core/tuning/tuned-model.ts";
import { createMemoryStore } from "../../../support/memory-store.ts";

const at = "2030-01-01T00:00:00Z";
const line = "m@1.2";
const never = new AbortController().signal;
const request: RoundsRequest = {
  ...{ runtime: null, model: "m", endpoint: null, fresh: false },
  settings: {
    ...{ hours: 10, rounds: 2, groups: 8, collectHours: null, search: { groupSize: 4, maxReplyTokens: 96 } },
    ...{ chains: [16, 64], K: 4, seed: 7, allowMissing: [], training: defaultTraining },
  },
};

let store: Store;
let done: string[];
let events: RunEvent[];
/** Informative iterations that a run finds. */
let finds: number;
let decisions: Decision[];
/** The step that is cut off once it has done its work, by name and how often it goes well before. */
let cut: { name: string; after: number } | null;
let hour: number;
/** Milliseconds that were waited. */
let paused: number[];

beforeEach(() => {
  store = createMemoryStore();
  [done, events, finds, decisions, cut, hour, paused] = [[], [], 8, [], null, 0, []];
});

function ends(name: string): void {
  done.push(name);
  if (cut?.name === name && cut.after-- === 0) {
    cut = null;
    throw new Error("killed");
  }
}

const collected: RunRequest[] = [];

/** The steps of a round, instant: they keep the same records as the real ones. */
function fakeParts(): RoundsParts {
  const informative = new Map<string, number>();
  return {
    store: {
      ...store,
      closedGroups: () =>
        [...informative].flatMap(([run, groups]) =>
          Array.from({ length: groups }, () => ({ run, informative: true }) as ClosedGroup),
        ),
    },
    clock: { monotonic: () => hour * 3_600_000, now: () => at },
    emit: (event) => void events.push(event),
    runToItsEnd: async (asked, opened) => {
      collected.push(asked);
      const unfinished = asked.fresh ? undefined : store.runs().findLast((run) => run.endedAt === null);
      const run: Run = unfinished ?? {
        ...{ id: `r${store.runs().length + 1}`, seed: 1, tasks: [], strategy: "exit", budget: asked.budget },
        settings: { ...defaultSettings, capacity: 24 },
        ...{ startedAt: at, endedAt: null, endedBy: null, provenance: null, spent: nothingSpent },
      };
      if (unfinished === undefined) store.openRun(run);
      opened(run);
      ends("collect");
      informative.set(run.id, finds);
      store.updateRun(run.id, { spent: nothingSpent, endedAt: at, endedBy: "informative" });
      ends("collected");
      return { ...run, endedAt: at };
    },
    fineTune: async (_asked, begun) => {
      const newest = store.tuning.models().at(-1);
      const next = {
        id: `m${store.tuning.models().length + 1}`,
        base: { line },
        failed: null,
        made: "exported",
      };
      const model = newest?.made === "exported" ? newest : (next as TunedModel);
      store.tuning.putModel(model);
      begun(model);
      ends("fine-tune");
      store.tuning.putModel({ ...model, made: "verified" });
      ends("tuned");
      return { ...model, made: "verified" };
    },
    passGate: async ({ model }) => {
      ends("gate");
      const decision = decisions[store.tuning.gates().length] ?? "promote";
      const gate = {
        id: `g${store.tuning.gates().length + 1}`,
        model,
        decision,
        reason: "",
      } as unknown as Gate;
      store.tuning.putGate(gate);
      ends("decided");
      if (decision === "promote") promoteIn(gate.model);
      return gate;
    },
    promote: async ({ model }) => promoteIn(model),
    pause: async (ms) => void paused.push(ms),
    refuseHopeless: async () => {},
  };
}

function promoteIn(model: string): void {
  store.tuning.addPromotion({ line, at, kind: "promoted", model, gate: "g1" });
}

/** Plays it as a runner does that is started again after each kill. */
async function playToTheEnd(parts: RoundsParts) {
  for (;;) {
    try {
      return await bootstrap(request, parts, never);
    } catch (error) {
      if ((error as Error).message !== "killed") throw error;
    }
  }
}

describe("two rounds", () => {
  test("collect, train and prove in this order, each with a run, a model and a gate of its own", async () => {
    const ended = await bootstrap(request, fakeParts(), never);
    expect(done).toEqual([
      ...["collect", "collected", "fine-tune", "tuned", "gate", "decided"],
      ...["collect", "collected", "fine-tune", "tuned", "gate", "decided"],
    ]);
    expect(ended).toMatchObject({ ended: "All 2 rounds are done.", endedAt: at });
    expect(ended.rounds).toMatchObject([
      { number: 1, run: "r1", model: "m1", gate: "g1", promoted: true, informative: 8, step: "done" },
      { number: 2, run: "r2", model: "m2", gate: "g2", promoted: true, informative: 8, step: "done" },
    ]);
    expect(store.tuning.bootstraps()).toEqual([ended]);
  });

  test("collect with the version in force then, whichever was named at the beginning", async () => {
    collected.length = 0;
    await bootstrap({ ...request, model: "m#v0" }, fakeParts(), never);
    expect(collected.map(({ model }) => model)).toEqual(["m", "m"]);
  });

  test("search all train tasks until there are enough informative iterations, or half of the time is gone", async () => {
    collected.length = 0;
    await bootstrap(request, fakeParts(), never);
    expect(collected[0]).toMatchObject({
      ...{ all: true, strategy: "exit", fresh: true, model: "m", seed: 8 },
      budget: { hours: 5, informative: 8, iterations: null },
      settings: { groupSize: 4, maxReplyTokens: 96 },
    });
  });
});

describe("killed", () => {
  for (const name of ["collect", "collected", "fine-tune", "tuned", "gate", "decided"])
    for (const after of [0, 1])
      test(`after "${name}" of round ${after + 1} it ends as if it had not been`, async () => {
        const undisturbed = await bootstrap(request, fakeParts(), never);
        store = createMemoryStore();
        cut = { name, after };
        const ended = await playToTheEnd(fakeParts());
        expect(ended.rounds).toEqual(undisturbed.rounds);
        expect(store.tuning.models()).toHaveLength(2);
        expect(store.tuning.gates()).toHaveLength(2);
        expect(store.tuning.promotions()).toHaveLength(2);
        expect(store.runs()).toHaveLength(2);
      });

  test("a bootstrap is begun anew where that is asked for, and the old one says so", async () => {
    cut = { name: "gate", after: 0 };
    await expect(bootstrap(request, fakeParts(), never)).rejects.toThrow("killed");
    await bootstrap({ ...request, fresh: true }, fakeParts(), never);
    expect(store.tuning.bootstraps()).toMatchObject([
      { id: "b1", ended: "Another one was begun." },
      { id: "b2", ended: "All 2 rounds are done." },
    ]);
  });
});

describe("while a server or an engine is away", () => {
  /** Steps of which the gate fails so often. */
  const withoutServer = (failures: number, reason = "ollama-unreachable"): RoundsParts => {
    const parts = fakeParts();
    return {
      ...parts,
      passGate: (asked, signal) =>
        failures-- > 0
          ? Promise.reject(new ExitError(reason, "No Ollama answers."))
          : parts.passGate(asked, signal),
    };
  };

  test("rounds wait, longer each time, and go on with the step that broke off", async () => {
    const undisturbed = await bootstrap(request, fakeParts(), never);
    store = createMemoryStore();
    const ended = await bootstrap(request, withoutServer(2), never);
    expect(paused).toEqual([30_000, 60_000]);
    expect(ended.rounds).toEqual(undisturbed.rounds);
    expect(store.runs()).toHaveLength(2);
    expect(events).toContainEqual(
      expect.objectContaining({ level: "warn", text: expect.stringContaining("go on from there in 30 s") }),
    );
  });

  test("the model that was found where none was named is the one they go on with", async () => {
    const found = { runtime: "ollama", model: "only-one:1b" };
    const parts = fakeParts();
    let failures = 1;
    collected.length = 0;
    const ended = await bootstrap(
      { ...request, model: null },
      {
        ...parts,
        runToItsEnd: (asked, opened, signal) =>
          parts.runToItsEnd(
            asked,
            (run) => {
              opened({ ...run, provenance: { policy: found } as unknown as Run["provenance"] });
              if (failures-- > 0) throw new ExitError("ollama-unreachable", "No Ollama answers.");
            },
            signal,
          ),
      },
      never,
    );
    expect(collected.map(({ runtime, model }) => ({ runtime, model }))).toEqual([
      { runtime: null, model: null },
      ...[found, found],
    ]);
    expect(store.runs()).toHaveLength(2);
    expect(ended).toMatchObject({ model: found, ended: "All 2 rounds are done." });
  });

  test("each step may find it away as often", async () => {
    const parts = withoutServer(4);
    let failures = 4;
    const fineTune: RoundsParts["fineTune"] = (asked, begun, signal) =>
      failures-- > 0
        ? Promise.reject(new ExitError("ollama-failed", "It broke."))
        : parts.fineTune(asked, begun, signal);
    await bootstrap(
      { ...request, settings: { ...request.settings, rounds: 1 } },
      { ...parts, fineTune },
      never,
    );
    const four = [30_000, 60_000, 120_000, 240_000];
    expect(paused).toEqual([...four, ...four]);
  });

  test("they do not wait when the time is over", async () => {
    const parts = withoutServer(1);
    const gate: RoundsParts["passGate"] = (asked, signal) => {
      hour = 11;
      return parts.passGate(asked, signal);
    };
    await expect(bootstrap(request, { ...parts, passGate: gate }, never)).rejects.toThrow("No Ollama");
    expect(paused).toEqual([]);
  });

  test("they give up at last and say what cut them off; the next call goes on", async () => {
    await expect(bootstrap(request, withoutServer(9), never)).rejects.toThrow("No Ollama answers.");
    expect(paused).toHaveLength(5);
    expect(store.tuning.bootstraps()).toMatchObject([{ endedAt: null, interruption: "No Ollama answers." }]);
    const ended = await bootstrap(request, fakeParts(), never);
    expect(ended).toMatchObject({ id: "b1", ended: "All 2 rounds are done.", interruption: null });
  });

  test("what no waiting mends ends them at once", async () => {
    await expect(bootstrap(request, withoutServer(1, "disk-low"), never)).rejects.toThrow("No Ollama");
    expect(paused).toEqual([]);
  });
});

test("too few informative iterations end it with what to do, and nothing is trained", async () => {
  finds = 1;
  const playing = bootstrap(request, fakeParts(), never);
  await expect(playing).rejects.toThrow(ExitError);
  await expect(playing).rejects.toThrow(/1 informative iterations, fewer than a quarter of 8/);
  expect(done).not.toContain("fine-tune");
  expect(store.tuning.bootstraps()[0]?.endedAt).toBe(at);
});

test("two rounds in a row without a better model end it", async () => {
  decisions = ["keep", "reject"];
  const ended = await bootstrap(
    { ...request, settings: { ...request.settings, rounds: null } },
    fakeParts(),
    never,
  );
  expect(ended.ended).toMatch(/Two rounds in a row/);
  expect(store.tuning.promotions()).toEqual([]);
});

test("the time it worked is added up over all sessions", async () => {
  cut = { name: "fine-tune", after: 0 };
  const parts = fakeParts();
  const { fineTune } = parts;
  const slow: RoundsParts = {
    ...parts,
    fineTune: (asked, begun, signal) => {
      hour += 3;
      return fineTune(asked, begun, signal);
    },
  };
  const ended = await playToTheEnd(slow);
  expect(ended.spentMs).toBe(9 * 3_600_000); // once cut off, twice done
});

describe("one that has not begun to search", () => {
  /** The model cannot be opened. */
  const unopened = (): RoundsParts => ({
    ...fakeParts(),
    runToItsEnd: () => Promise.reject(new ExitError("model-needed", "Name a model with --model.")),
  });

  test("leaves nothing behind, so that the next call takes what is asked for then", async () => {
    await expect(bootstrap({ ...request, model: null }, unopened(), never)).rejects.toThrow(/--model/);
    expect(store.tuning.bootstraps()).toEqual([]);
    const ended = await bootstrap(request, fakeParts(), never);
    expect(ended).toMatchObject({ id: "b1", model: { model: "m" }, ended: "All 2 rounds are done." });
  });

  test("does not end the unfinished one either, though it was to replace it", async () => {
    cut = { name: "gate", after: 0 };
    await expect(bootstrap(request, fakeParts(), never)).rejects.toThrow("killed");
    await expect(bootstrap({ ...request, fresh: true }, unopened(), never)).rejects.toThrow(/--model/);
    expect(store.tuning.bootstraps()).toMatchObject([{ id: "b1", endedAt: null }]);
  });

  test("is refused where no gate could prove anything, before it searches", async () => {
    const parts: RoundsParts = {
      ...fakeParts(),
      refuseHopeless: () => Promise.reject(new ExitError("nothing-held-out", "None is held out.")),
    };
    await expect(bootstrap(request, parts, never)).rejects.toThrow("None is held out.");
    expect(done).toEqual([]);
  });
});

test("too few informative iterations in a later round end it well: what was promoted stands", async () => {
  const parts = fakeParts();
  const ended = await bootstrap(
    request,
    {
      ...parts,
      passGate: (asked, signal) => {
        finds = 1;
        return parts.passGate(asked, signal);
      },
    },
    never,
  );
  expect(ended.ended).toMatch(/^Round 2 found 1 informative/);
  expect(ended.rounds).toMatchObject([{ promoted: true }, { step: "collect" }]);
});

test("a round collects no longer than there is time", async () => {
  collected.length = 0;
  const settings = { ...request.settings, collectHours: 12 };
  await bootstrap({ ...request, settings }, fakeParts(), never);
  expect(collected[0]?.budget.hours).toBe(10);
});

test("a model that the user promotes before its gate is not tested against itself", async () => {
  cut = { name: "tuned", after: 0 };
  await expect(bootstrap(request, fakeParts(), never)).rejects.toThrow("killed");
  promoteIn("m1");
  const ended = await bootstrap(request, fakeParts(), never);
  expect(ended.rounds).toMatchObject([{ promoted: true, gate: null, model: "m1" }, { promoted: true }]);
});

test("one that was promoted and rolled back before it went on stays rolled back", async () => {
  const parts = fakeParts();
  const { passGate } = parts;
  const cutOff: RoundsParts = {
    ...parts,
    passGate: async (asked, signal) => {
      await passGate(asked, signal);
      throw new Error("killed");
    },
  };
  await expect(bootstrap(request, cutOff, never)).rejects.toThrow("killed");
  store.tuning.addPromotion({ line, at, kind: "rolledBack" });
  await bootstrap(request, fakeParts(), never);
  const ofFirst = store.tuning.promotions().filter((one) => one.kind === "promoted" && one.model === "m1");
  expect(ofFirst).toHaveLength(1);
});
