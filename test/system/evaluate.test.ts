/** `exit-ml evaluate` with a real model and a real sandbox: killed in the middle, it goes on where it was. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { openStore } from "../../src/adapters/sqlite/store.ts";
import type { EvaluationReport } from "../../src/core/reports.ts";
import { testWith } from "../support/without.ts";
import { copyOfExample, gone, type Product } from "./product.ts";

const it = testWith("docker", "model");

let product: Product;
beforeAll(() => {
  product = copyOfExample("digits-config");
});
afterAll(() => product?.remove());

/** Snapshots evaluations have come to, in a copy of the history: the runner has the lock of the history itself. */
function snapshotsSoFar(): number {
  const copy = mkdtempSync(join(tmpdir(), "exit-ml-copy-"));
  try {
    for (const file of ["history.db", "history.db-wal"])
      cpSync(join(product.folder, ".exit", file), join(copy, file), { force: true });
    const store = openStore(join(copy, "history.db"));
    try {
      return store.evaluations.snapshots().length;
    } finally {
      store.close();
    }
  } catch {
    return 0; // not there yet, or copied in the middle of a write
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

it("is killed and goes on, and leaves the tree alone", async () => {
  const ask = ["evaluate", "-n", "2", "--k", "2", "--seed", "5", "--max-reply-tokens", "400"];
  const first = product.call(...ask);
  // The start, and what a first step made.
  await expect.poll(snapshotsSoFar, { timeout: 300_000, interval: 200 }).toBeGreaterThan(1);
  const pid = product.runnerPid();
  process.kill(pid, "SIGKILL");
  await gone(pid);
  expect((await first).code).toBe(1);

  const report = await product.json<EvaluationReport>(...ask);
  expect(report.steps.made).toBe(4);
  expect(report.steps.earlier).toBeGreaterThan(0);
  expect(report).toMatchObject({
    K: 2,
    n: 2,
    sameTask: true,
    starts: [{ task: "digits-config", node: null }],
  });
  const [curve] = report.protocols[0]?.policies ?? [];
  expect(curve).toMatchObject({ chains: 2, dropped: 0 });
  expect(curve?.rows[0]?.quality.mean).toBeCloseTo(report.starts[0]?.quality ?? Number.NaN);
  for (const { quality, best, valid } of curve?.rows ?? []) {
    expect(best.mean).toBeGreaterThanOrEqual(quality.mean);
    expect(valid.mean).toBe(1); // replies are constrained to the schema, and every configuration runs
  }
  expect(await product.tree()).toEqual([]);
});
