/** Which unfinished run a request goes on with (EXIT.md sections 1 and 7). */
import { beforeEach, expect, test } from "vitest";
import type { RunRequest } from "../../../src/app/app.ts";
import { openRun } from "../../../src/app/open-run.ts";
import type { Provenance } from "../../../src/core/history.ts";
import type { ResolvedTask, Store } from "../../../src/core/ports.ts";
import { createMemoryStore } from "../../support/memory-store.ts";

const clock = { monotonic: () => 0, now: () => "2030-01-01T00:00:00Z" };
const task = { id: "digits", definition: { solution: { format: "edits" } } } as unknown as ResolvedTask;
const provenance = { allowedMissing: [] } as unknown as Provenance;
const ofUser = {
  ...{ tasks: ["digits"], all: false, strategy: "exit", settings: {}, seed: 1, allowMissing: [] },
  ...{ runtime: null, model: null, endpoint: null, fresh: false },
  budget: { iterations: 100, hours: null, tokens: null, target: null },
} as const satisfies RunRequest;
const ofRound: RunRequest = { ...ofUser, budget: { ...ofUser.budget, iterations: null, informative: 8 } };

let store: Store;
beforeEach(() => {
  store = createMemoryStore();
});
const open = (request: RunRequest) => openRun(request, [task], provenance, { store, clock });

test("the one of the same tasks", () => {
  const { run } = open(ofUser);
  expect(open(ofUser)).toMatchObject({ continued: true, run: { id: run.id } });
});

test("a round leaves the user's run alone, and the user that of a round", () => {
  const { run } = open(ofUser);
  const round = open({ ...ofRound, fresh: true });
  expect(round.continued).toBe(false);
  expect(open(ofUser)).toMatchObject({ continued: true, run: { id: run.id } });
  expect(open(ofRound)).toMatchObject({ continued: true, run: { id: round.run.id } });
  expect(open({ ...ofUser, fresh: true }).continued).toBe(false);
  expect(store.runs().map(({ endedBy }) => endedBy)).toEqual(["replaced", null, null]);
});
