import { defineConfig } from "vitest/config";

/** For what becomes true in time, however slow the machine is: vitest's own second is too short for that. */
const patient = { poll: { timeout: 60_000, interval: 100 } };

/** Five kinds of tests: pure ones, the engine against the oracle, adapters against the real thing, whole runs, and the extension in VS Code. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/scripts/**/*.test.ts"] } },
      { test: { name: "oracle", include: ["test/oracle/**/*.test.ts"], testTimeout: 600_000 } },
      {
        test: {
          name: "adapters",
          include: ["test/{adapters,package}/**/*.test.ts"],
          expect: patient,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          expect: patient,
          testTimeout: 900_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "editor",
          include: ["test/editor/**/*.test.ts"],
          expect: patient,
          testTimeout: 900_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
