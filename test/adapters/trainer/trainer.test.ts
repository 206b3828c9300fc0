/** The room of the trainer against the real package in its real environment, on a tiny random model. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { processesOf } from "../../../scripts/test/leftovers.mjs";
import { withLock } from "../../../src/adapters/leases/lock.ts";
import { createTrainer } from "../../../src/adapters/trainer/trainer.ts";
import type { Trainer, TrainerEvent } from "../../../src/core/tuning/ports.ts";
import { describeWith, testWith } from "../../support/without.ts";
import { realPython, servedTuned, stageIn, trainerPackage, writeGroups, writeTinyParts } from "./parts.ts";

const test = testWith("trainer");
const never = new AbortController().signal;
const deaf = () => {};

let folder: string;
let trainer: Trainer;

describeWith("trainer")("the trainer", () => {
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-tuning-")));
    writeTinyParts(folder);
    writeGroups(join(folder, "groups.jsonl"), 6, -20);
    writeGroups(join(folder, "many.jsonl"), 192, -20);
    trainer = createTrainer({ package: trainerPackage, cache: folder, python: realPython(), withLock });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const trainings = () => processesOf({ mark: "none of these", folder });

  test("a Python that has the packages is used as it is", async () => {
    await trainer.prepare(deaf, never);
  });

  test("the doctor tells where a training would run", async () => {
    expect(await trainer.doctor("cpu", never)).toMatchObject({ event: "doctor", device: "cpu" });
  });

  test("a stage is estimated, and trained into an adapter that its record names", async () => {
    const stage = stageIn(folder);
    const heard: TrainerEvent[] = [];
    const estimate = await trainer.estimate(stage, false, (event) => heard.push(event), never);
    expect(estimate).toMatchObject({ device: "cpu", updates: 2, groups: 6, fits: true, seconds: null });
    expect(estimate.memory).toBeGreaterThan(0);
    expect(estimate.diskFree).toBeGreaterThan(estimate.disk);
    const settings = { ...stage.settings, rank: 4, alpha: 12, learningRate: 1e-7, updates: 1, beta: 0.5 };
    const result = await trainer.train({ ...stage, settings }, (event) => heard.push(event), never);
    expect(result).toMatchObject({ updates: 1, ended: "groups" });
    expect(result.mismatch).toBeGreaterThan(1);
    const { rank, alpha, settings: used } = JSON.parse(readFileSync(join(stage.out, "stage.json"), "utf8"));
    expect({ rank, alpha }).toEqual({ rank: 4, alpha: 12 });
    expect(used).toMatchObject({
      learning_rate: 1e-7,
      updates: 1,
      most_mismatch: 100,
      objective: { beta: 0.5 },
    });
    expect(existsSync(join(stage.out, "adapter", "adapter_model.safetensors"))).toBe(true);
    expect(heard.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["groups", "estimate", "preparing", "update", "trained"]),
    );
  });

  test("what keeps a stage from being trained is an error with its own sentence", async () => {
    const probes = [{ text: "<s>ab", tokens: 7 }];
    await expect(trainer.estimate({ ...stageIn(folder), probes }, false, deaf, never)).rejects.toMatchObject({
      reason: "trainer-tokenizer",
      message: expect.stringContaining('counts 7 tokens in "<s>ab", the trainer 3'),
    });
  });

  test("a cancelled training leaves no process, and goes on from where it was", async () => {
    const settings = { ...stageIn(folder).settings, learningRate: 1e-7, updates: 64 };
    const stage = { ...stageIn(folder, "many.jsonl", "cancelled"), settings };
    const cancel = new AbortController();
    const heard: string[] = [];
    const training = trainer.train(
      stage,
      ({ event }) => {
        heard.push(event);
        // The first one is kept when the second one is told.
        if (heard.filter((each) => each === "update").length === 2) cancel.abort(new Error("enough"));
      },
      cancel.signal,
    );
    await expect(training).rejects.toThrow("enough");
    expect(heard).not.toContain("trained");
    expect(trainings()).toEqual([]);
    const resumed: TrainerEvent[] = [];
    const result = await trainer.train(stage, (event) => resumed.push(event), never);
    expect(result.updates).toBe(64);
    expect(resumed.find(({ event }) => event === "resumed")?.update).toBeGreaterThan(0);
  });

  test("a training ends with the runner that started it, also when that is killed outright", async () => {
    const runner = fork(join(import.meta.dirname, "doomed-runner.ts"), [folder]);
    await new Promise<void>((resolve, reject) => {
      runner.on("message", (event) => event === "preparing" && resolve());
      runner.once("exit", () => reject(new Error("It ended before it trained.")));
    });
    expect(trainings().length).toBeGreaterThan(1);
    runner.kill("SIGKILL");
    await once(runner, "exit");
    await vi.waitFor(() => expect(trainings()).toEqual([]), { timeout: 60_000, interval: 100 });
    expect(existsSync(join(folder, "doomed", "adapter"))).toBe(false);
  });

  test("an adapter is merged, and file and server are found to hold it", async () => {
    const request = {
      model: join(folder, "base.gguf"),
      adapter: join(folder, "random-adapter"),
      file: join(folder, "tuned", "tuned.gguf"),
      form: "merged",
    } as const;
    const merged = await trainer.merge({ ...request, name: "tiny tuned" }, deaf, never);
    expect(merged).toMatchObject({ types: { F32: 14 } });
    expect(merged.recovered).toBeGreaterThan(0.99);
    const fingerprint = await trainer.verify(
      { ...request, served: servedTuned(folder), device: "cpu" },
      deaf,
      never,
    );
    expect(fingerprint.served).toBeLessThan(1e-3);
    expect(fingerprint.file).toBeLessThan(1e-3);
    expect(fingerprint.servedFromBase).toBeGreaterThan(0.1);
    expect(fingerprint.effect).toBeGreaterThan(0.1);
    expect(fingerprint.proven).toBe(true);
  });

  test("an adapter alone is written, and the server is found to hold it", async () => {
    const request = {
      model: join(folder, "base.gguf"),
      adapter: join(folder, "random-adapter"),
      file: join(folder, "tuned", "adapter.gguf"),
      form: "adapter",
    } as const;
    const merged = await trainer.merge({ ...request, name: "tiny tuned" }, deaf, never);
    expect(merged).toMatchObject({ recovered: 1, noise: 0 });
    expect(merged.bytes).toBe(statSync(request.file).size);
    const asked = { ...request, served: servedTuned(folder), device: "cpu" } as const;
    const fingerprint = await trainer.verify(asked, deaf, never);
    expect(fingerprint.file).toBeNull();
    expect(fingerprint.served).toBeLessThan(1e-3);
  });
});
