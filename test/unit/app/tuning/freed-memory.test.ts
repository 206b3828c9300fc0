/** A training has the memory the model had, and the user finds the model loaded again afterwards. */
import { expect, test } from "vitest";
import type { OpenBase } from "../../../../src/app/tuning/base-model.ts";
import { withFreedMemory } from "../../../../src/app/tuning/freed-memory.ts";
import type { TuningParts } from "../../../../src/app/tuning/parts.ts";
import { ExitError } from "../../../../src/core/errors.ts";
import { createMemoryStore } from "../../../support/memory-store.ts";

const never = new AbortController().signal;

/** A server that holds the model, which our own policy gives back as well. */
function fakeServer(loaded: { model: boolean }): OpenBase {
  return {
    base: { model: "m", line: "m@1.2" },
    policy: {
      unload: async () => {
        loaded.model = false;
      },
    },
    keeper: {
      unload: async () => {
        const held = loaded.model;
        loaded.model = false;
        return async () => {
          loaded.model = held;
        };
      },
    },
  } as unknown as OpenBase;
}

const parts = {
  store: createMemoryStore(),
  emit: () => {},
  sandbox: () => Promise.reject(new ExitError("docker-unreachable", "no engine")),
} as unknown as TuningParts;

test("what was loaded before is loaded again, also where the work broke", async () => {
  const loaded = { model: true };
  const during = await withFreedMemory(fakeServer(loaded), parts, never, async () => ({ ...loaded }));
  expect(during).toEqual({ model: false });
  expect(loaded).toEqual({ model: true });
  const broken = withFreedMemory(fakeServer(loaded), parts, never, () => Promise.reject(new Error("broken")));
  await expect(broken).rejects.toThrow("broken");
  expect(loaded).toEqual({ model: true });
});
