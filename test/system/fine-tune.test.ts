/**
 * The circle on real parts: a model searches, is trained on what it found, is installed and proven to be the one that
 * answers, is gated, promoted, searches again, and is rolled back.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { TrainingStatus } from "../../src/protocol/results.ts";
import { testWith } from "../support/without.ts";
import { gone, type Product, someOfTheFamily } from "./product.ts";

const it = testWith("docker", "model", "trainer");

const runOptions = ["--all", "--strategy", "exit", "--group-size", "4", "--max-reply-tokens", "96"];
let product: Product;
beforeAll(async () => {
  product = await someOfTheFamily(["apples", "lamps", "cheeses"]); // cheeses is held out
  const { ended } = product.run(...runOptions, "--iterations", "6", "--seed", "3");
  expect(await ended).toBe(0);
});
afterAll(() => product?.remove());

async function training(): Promise<TrainingStatus> {
  return (await product.json<{ training: TrainingStatus }>("models")).training;
}

describe("a model that searched", () => {
  it("is trained on what it found, killed in the middle and gone on with", async () => {
    const metrics = join(product.folder, ".exit", "models", "m1", "stage", "checkpoint", "fixed.pt");
    // No early end: it depends on what was sampled.
    const limits = ["--most-square", "10", "--least-effective", "0"];
    const ask = ["fine-tune", "--updates", "2", "--form", "adapter", ...limits];
    const first = product.call(...ask);
    await expect.poll(() => existsSync(metrics), { timeout: 400_000, interval: 200 }).toBe(true);
    const pid = product.runnerPid();
    process.kill(pid, "SIGKILL");
    await gone(pid);
    expect((await first).code).toBe(1);

    const { code, stdout, stderr } = await product.call(...ask);
    expect(stderr).toMatch(/Going on after update|update \d of 2/);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("Tuned model m1");
    const { models } = await training();
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({ id: "m1", made: "verified", failed: null, parent: null });
    expect(models[0]?.training?.mismatch).toBeLessThan(0.1);
    // What answers is nearer to the tuned weights than to the base.
    const { served = 1, servedFromBase = 0 } = models[0]?.fingerprint ?? {};
    expect(served).toBeLessThan(servedFromBase);
    const stage = join(product.folder, ".exit", "models", "m1", "stage", "metrics.jsonl");
    expect(readFileSync(stage, "utf8").trim().split("\n")).toHaveLength(2);
  });

  it("is not sampled from before it is promoted, and not promoted without a gate", async () => {
    const model = (await training()).models[0]?.base.file ?? "";
    const run = await product.call("run", ...runOptions, "--iterations", "1", "--model", `${model}#m1`);
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/m1 is not promoted/) });
    const promoted = await product.call("promote", "m1");
    expect(promoted).toMatchObject({ code: 1, stderr: expect.stringMatching(/has passed no gate/) });
  });

  it("is compared with its base on the task that was held out, and the decision is kept with its bounds", async () => {
    const { code } = await product.call("gate", "--chains", "2,2", "--k", "1", "--max-reply-tokens", "96");
    const { gates } = await training();
    expect(gates).toHaveLength(1);
    const [gate] = gates;
    expect(gate).toMatchObject({ id: "g1", model: "m1", against: null, sameTask: false });
    expect(gate?.evaluation?.starts).toMatchObject([{ task: "cheeses" }]);
    expect(gate?.overCurrent?.low).toBeLessThanOrEqual(gate?.overCurrent?.high ?? Number.NaN);
    expect(code).toBe(gate?.decision === "promote" ? 0 : 3);
    if (gate?.decision === "promote") expect((await product.call("rollback")).code).toBe(0);
  });

  it("answers after its promotion, under its version, until it is rolled back", async () => {
    await product.json("promote", "m1", "--ungated");
    const before = (await product.tree()).length;
    const { ended, events } = product.run(...runOptions, "--iterations", "1", "--fresh");
    const policies: string[] = [];
    for await (const event of events) if (event.type === "groupOpened") policies.push(event.opening.policy);
    expect(await ended).toBe(0);
    const { inForce } = await training();
    const version = inForce[0]?.version ?? 0;
    expect(policies).toEqual([`${inForce[0]?.line}#v${version}`]);
    expect(inForce[0]).toMatchObject({ model: "m1" });
    expect((await product.tree()).length).toBeGreaterThanOrEqual(before);

    expect(await product.json("rollback")).toMatchObject({ version: 0, model: null });
    expect(await product.call("rollback")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/No tuned model is in force/),
    });
  });
});
