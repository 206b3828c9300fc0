/** The port `Trainer`: the Python package `exit_trainer` as a child process that speaks JSON lines. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { StageEstimate, StageRequest, TellTrainer, Trainer } from "../../core/tuning/ports.ts";
import type {
  Fingerprint,
  MergeResult,
  TrainingResult,
  TrainingSettings,
} from "../../core/tuning/tuned-model.ts";
import { type EnvironmentSettings, environmentOf } from "./environment.ts";
import { factsOf, runVerb, type Told, type Verb } from "./verb.ts";

export function createTrainer(settings: EnvironmentSettings): Trainer {
  const { package: trainer, cache } = settings;
  // Looked for when it is needed: a runner that trains nothing reads nothing.
  const environment = () => environmentOf(settings);
  const run = (
    name: Verb["name"],
    folder: string,
    options: readonly string[],
    tell: TellTrainer,
    signal: AbortSignal,
  ): Promise<Told> =>
    runVerb(
      { python: environment().python, trainer, name, options, log: join(folder, "trainer.log") },
      tell,
      signal,
    );

  return {
    prepare: (say, signal) => environment().prepare(say, signal),

    async doctor(device, signal) {
      const told = await run(
        "doctor",
        join(cache, "logs"),
        ["--device", device, "--out", cache],
        () => {},
        signal,
      );
      return factsOf(told, "doctor", doctorSchema);
    },

    async estimate(stage, measured, tell, signal) {
      const options = await stageOptions(stage);
      const told = await run("estimate", stage.out, measured ? options : [...options, "--dry"], tell, signal);
      return factsOf(told, "estimate", estimateSchema);
    },

    async train(stage, tell, signal) {
      const began = performance.now();
      const told = await run("train", stage.out, await stageOptions(stage), tell, signal);
      const { mismatch } = factsOf(told, "mismatch", mismatchSchema);
      const result = factsOf(told, "trained", trainedSchema);
      return { ...result, mismatch, ms: performance.now() - began };
    },

    async merge({ model, adapter, file, name, form }, tell, signal) {
      const options = ["--model", model, "--adapter", adapter, "--out", file, "--name", name];
      if (form === "adapter") options.push("--adapter-file");
      const told = await run("merge", dirname(file), options, tell, signal);
      return factsOf(told, "merged", mergedSchema);
    },

    async verify({ model, adapter, file, form, served, device }, tell, signal) {
      const folder = dirname(file);
      const replies = await writeJson(join(folder, "served.json"), served);
      const files = ["--model", model, "--adapter", adapter, "--served", replies, "--device", device];
      if (form === "merged") files.push("--merged", file);
      const told = await run("verify", folder, files, tell, signal);
      return factsOf(told, "fingerprint", fingerprintSchema);
    },
  };
}

async function stageOptions(stage: StageRequest): Promise<string[]> {
  await writable(stage.out, () => mkdir(stage.out, { recursive: true }));
  const probes =
    stage.probes.length > 0 ? await writeJson(join(stage.out, "probes.json"), stage.probes) : null;
  return [
    ...["--model", stage.model, "--groups", stage.groups, "--out", stage.out, "--policy", stage.policy],
    ...(stage.adapter === null ? [] : ["--adapter", stage.adapter]),
    ...(probes === null ? [] : ["--probes", probes]),
    ...settingsOptions(stage.settings),
  ];
}

function settingsOptions(settings: TrainingSettings): string[] {
  return [
    ...["--device", settings.device, "--reduction", settings.reduction],
    ...["--rank", String(settings.rank), "--alpha", String(settings.alpha)],
    ...["--learning-rate", String(settings.learningRate), "--beta", String(settings.beta)],
    ...["--updates", String(settings.updates), "--most-mismatch", String(settings.mostMismatch)],
    ...["--most-square", String(settings.mostSquare), "--least-effective", String(settings.leastEffective)],
    ...(settings.checkpointing ? ["--checkpointing"] : []),
  ];
}

async function writeJson(file: string, value: unknown): Promise<string> {
  await writable(file, () => writeFile(file, JSON.stringify(value)));
  return file;
}

async function writable(place: string, write: () => Promise<unknown>): Promise<void> {
  await write().catch((error: unknown) => {
    throw new ExitError(
      "trainer-failed",
      `${place} cannot be written: ${messageOf(error)}. Make room on the disk, and let this user write there.`,
      { cause: error },
    );
  });
}

const doctorSchema = z.looseObject({ event: z.string(), text: z.string() });

const estimateSchema: z.ZodType<StageEstimate> = z
  .object({
    device: z.string(),
    updates: z.int(),
    groups: z.int(),
    memory: z.object({ total: z.number() }),
    fits: z.boolean(),
    disk: z.number(),
    disk_free: z.number(),
    seconds: z.number().nullable(),
  })
  .transform(({ memory, disk_free, ...rest }) => ({ ...rest, memory: memory.total, diskFree: disk_free }));

const mismatchSchema = z.object({ mismatch: z.number().nullable() });

const trainedSchema: z.ZodType<Pick<TrainingResult, "updates" | "ended">> = z.object({
  updates: z.int(),
  ended: z.string(),
});

const mergedSchema: z.ZodType<MergeResult> = z.object({
  bytes: z.number(),
  recovered: z.number(),
  noise: z.number(),
  types: z.record(z.string(), z.int()),
});

const fingerprintSchema: z.ZodType<Fingerprint> = z.object({
  effect: z.number(),
  file: z.number().nullable(),
  served: z.number(),
  servedFromBase: z.number(),
  proven: z.boolean(),
});
