/** Which welcome text stands in an empty History view. */
import { expect, test } from "vitest";
import { HistoryIndex } from "../../../src/extension/history/history-index.ts";
import type { Known } from "../../../src/extension/runner/sessions.ts";
import { stateOf } from "../../../src/extension/state.ts";
import type { Readiness, Status } from "../../../src/protocol/results.ts";

const known = (change: Partial<Known>): Known => ({
  hasTaskFile: true,
  history: new HistoryIndex(),
  board: null,
  status: {} as Status,
  readiness: { parts: [] },
  failure: null,
  doing: "",
  training: null,
  exports: [],
  tuning: null,
  ...change,
});

const lacking = (part: Readiness["parts"][number]["part"]): Readiness => ({
  parts: [
    { part: "task", ok: part !== "task", message: "" },
    { part, ok: false, message: "" },
  ],
});

test("what is missing first is what is said", () => {
  expect(stateOf(known({ hasTaskFile: false, failure: "no runner" }))).toBe("noTask");
  expect(stateOf(known({ failure: "no runner" }))).toBe("failed");
  expect(stateOf(known({ readiness: null }))).toBe("looking");
  expect(stateOf(known({ readiness: lacking("task") }))).toBe("brokenTask");
  expect(stateOf(known({ readiness: lacking("engine") }))).toBe("noEngine");
  expect(stateOf(known({ readiness: lacking("image") }))).toBe("noImage");
  expect(stateOf(known({ readiness: lacking("model") }))).toBe("noModel");
  expect(stateOf(known({}))).toBe("ready");
});
