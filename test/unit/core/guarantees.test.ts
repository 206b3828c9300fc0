/** Which guarantees a run is refused for, and what the user is told. */
import { expect, test } from "vitest";
import { type Guarantee, guaranteeWarnings, missingIn, refuseMissing } from "../../../src/core/guarantees.ts";

const found: readonly Guarantee[] = [
  { guarantee: "memory-limit", held: true, measured: "ended" },
  { guarantee: "pids-limit", held: false, measured: "64 could be started" },
  { guarantee: "vsock-closed", held: null, measured: "no Python" },
  { guarantee: "kill-latency", held: false, measured: "still there" },
  { guarantee: "runsc", held: false, measured: "only runc" },
];

const refusal = (allowed: Parameters<typeof refuseMissing>[1]): unknown => {
  try {
    return refuseMissing(found, allowed);
  } catch (error) {
    return error;
  }
};

test("a run is refused by the name of each missing guarantee, with its mend and the way round it", () => {
  const error = refusal(["kill-latency"]) as Error;
  expect(error).toMatchObject({ reason: "guarantee-missing" });
  expect(error.message).toContain("pids-limit is missing: a revision that forks for ever");
  expect(error.message).toContain("64 could be started");
  expect(error.message).toContain("cgroup");
  expect(error.message).toContain("exit-ml run --allow-missing pids-limit");
  expect(error.message).not.toMatch(/kill-latency|runsc|vsock/);
});

test("what the user allows by name, what is unknown and what is optional refuses no run", () => {
  expect(refusal(["kill-latency", "pids-limit"])).toBeUndefined();
});

test("missing and unknown guarantees are told, allowed or not", () => {
  const warnings = guaranteeWarnings(found).map((text) => text.split(/[ :]/)[0]);
  expect(warnings).toEqual(["pids-limit", "kill-latency", "vsock-closed"]);
});

test("who reads a refusal finds the guarantees it names, and allowing them makes it go", () => {
  const named = missingIn((refusal([]) as Error).message);
  expect(named).toEqual(["pids-limit", "kill-latency"]);
  expect(refusal(named)).toBeUndefined();
});
