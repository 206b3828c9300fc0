/**
 * The parameters of every method, as the runner checks them before anything else sees them. Methods that change
 * something are strict: an option this runner does not know is refused, not ignored.
 */
import { z } from "zod";
import { messageOf } from "../core/errors.ts";
import { protocols } from "../core/evaluate/cell.ts";
import { exportFormats } from "../core/export/format.ts";
import { guaranteeNames } from "../core/guarantees.ts";
import { goals, strategies } from "../core/history.ts";
import { checkSetting, type Settings } from "../core/settings.ts";

const name = z.string().min(1);
const task = name.nullable();
const nothing = z.object({});

const initRequest = z.strictObject({
  file: name.exactOptional(),
  name,
  instruction: name,
  files: z.array(name).min(1),
  run: z.array(name).min(1),
  score: z.array(name).min(1).exactOptional(),
  hidden: z.array(name).exactOptional(),
  fromRun: name.exactOptional(),
  inputs: z.array(name).exactOptional(),
  outputs: z.array(name).exactOptional(),
  metric: z.strictObject({
    name,
    direction: z.enum(["maximize", "minimize"]),
    worst: z.number(),
    best: z.number(),
  }),
  image: name,
});

/** Some of the settings, without the defaults of the others filled in. */
const someSettings = z.record(z.string(), z.unknown()).transform((given, context): Partial<Settings> => {
  const settings = {};
  for (const [key, value] of Object.entries(given)) {
    try {
      Object.assign(settings, checkSetting(key, value));
    } catch (error) {
      context.addIssue({ code: "custom", path: [key], message: messageOf(error) });
    }
  }
  return settings;
});

const budget = z
  .strictObject({
    iterations: z.int().min(1).nullable(),
    hours: z.number().positive().nullable(),
    tokens: z.int().min(1).nullable(),
    target: z.number().nullable(),
  })
  .refine((ends) => Object.values(ends).some((end) => end !== null), {
    error: "a run needs an end: iterations, hours, tokens or a target score",
  });

const runRequest = z.strictObject({
  tasks: z.array(name),
  all: z.boolean(),
  strategy: z.enum(strategies),
  budget,
  settings: someSettings,
  runtime: name.nullable(),
  model: name.nullable(),
  endpoint: name.nullable(),
  fresh: z.boolean(),
  allowMissing: z.array(z.enum(guaranteeNames)),
  seed: z.int().min(0).nullable(),
});

const model = { runtime: name.nullable(), model: name.nullable(), endpoint: name.nullable() };

const trainingFields = {
  device: z.enum(["auto", "cuda", "mps", "cpu"]),
  rank: z.int().min(1).max(256),
  alpha: z.int().min(1),
  learningRate: z.number().positive(),
  updates: z.int().min(1),
  reduction: z.enum(["grpo", "dr_grpo", "dapo", "bnpo", "gspo"]),
  beta: z.number().min(0),
  checkpointing: z.boolean(),
  mostMismatch: z.number().positive(),
  mostSquare: z.number().positive(),
  leastEffective: z.number().min(0).max(1),
  form: z.enum(["merged", "adapter"]),
};
const training = z.strictObject(trainingFields);
/** What is left out has its default. */
const someTraining = z.strictObject({
  device: trainingFields.device.exactOptional(),
  rank: trainingFields.rank.exactOptional(),
  alpha: trainingFields.alpha.exactOptional(),
  learningRate: trainingFields.learningRate.exactOptional(),
  updates: trainingFields.updates.exactOptional(),
  reduction: trainingFields.reduction.exactOptional(),
  beta: trainingFields.beta.exactOptional(),
  checkpointing: trainingFields.checkpointing.exactOptional(),
  mostMismatch: trainingFields.mostMismatch.exactOptional(),
  mostSquare: trainingFields.mostSquare.exactOptional(),
  leastEffective: trainingFields.leastEffective.exactOptional(),
  form: trainingFields.form.exactOptional(),
});

const chains = z
  .tuple([z.int().min(2), z.int().min(2)])
  .refine(([first, second]) => second >= first, { error: "the second look has at least as many chains" })
  .readonly();

const fineTuneRequest = z.strictObject({ ...model, training: someTraining });

const gateRequest = z.strictObject({
  model: name.nullable(),
  chains,
  K: z.int().min(1),
  seed: z.int().min(0),
  maxReplyTokens: z.int().min(16).nullable(),
});

const roundsRequest = z.strictObject({
  ...model,
  fresh: z.boolean(),
  settings: z.strictObject({
    hours: z.number().positive(),
    rounds: z.int().min(1).nullable(),
    groups: z.int().min(2),
    collectHours: z.number().positive().nullable(),
    search: someSettings,
    chains,
    K: z.int().min(1),
    seed: z.int().min(0),
    allowMissing: z.array(z.enum(guaranteeNames)),
    training,
  }),
});

const evaluateRequest = z.strictObject({
  policies: z.array(z.strictObject(model)).min(1),
  tasks: z.array(name),
  heldOutStarts: z.boolean(),
  limit: z.int().min(1).nullable(),
  K: z.int().min(1),
  n: z.int().min(1),
  protocols: z.array(z.enum(protocols)).min(1),
  seed: z.int().min(0),
  maxReplyTokens: z.int().min(16),
  allowMissing: z.array(z.enum(guaranteeNames)),
});

const exportFilter = z.strictObject({
  goals: z.array(z.enum(goals)).exactOptional(),
  minQuality: z.number().min(0).max(1).nullable().exactOptional(),
  improving: z.boolean().exactOptional(),
  perTask: z.int().min(1).nullable().exactOptional(),
});

/** One schema per method. */
export const requestSchemas = {
  init: initRequest,
  check: z.strictObject({ task }),
  score: z.strictObject({ task, from: name.nullable() }),
  confirm: z.strictObject({ task }),
  startRun: runRequest,
  stopRun: nothing,
  evaluate: evaluateRequest,
  status: nothing,
  doctor: z.object({
    runtime: name.nullable(),
    model: name.nullable(),
    endpoint: name.nullable(),
    selfTest: z.boolean().exactOptional(),
  }),
  tree: z.object({ task }),
  show: z.object({ node: name, task }),
  showGroup: z.object({ group: name }),
  solution: z.object({ node: name, task }),
  diff: z.object({ node: name, against: name.nullable(), task }),
  apply: z.strictObject({ node: name, task }),
  revert: nothing,
  replay: z.object({ run: name }),
  export: z.strictObject({
    out: name,
    task,
    format: z.enum(exportFormats).exactOptional(),
    filter: exportFilter.exactOptional(),
  }),
  training: nothing,
  estimateTraining: fineTuneRequest,
  startTuning: z.discriminatedUnion("job", [
    fineTuneRequest.extend({ job: z.literal("fine-tune") }),
    gateRequest.extend({ job: z.literal("gate") }),
    roundsRequest.extend({ job: z.literal("rounds") }),
  ]),
  promote: z.strictObject({ model: name, ungated: z.boolean() }),
  rollback: z.strictObject({ model: name.nullable() }),
  clean: z.strictObject({ dryRun: z.boolean(), exports: z.boolean() }),
  models: z.object({ endpoint: name.nullable().exactOptional() }),
  allowEndpoint: z.strictObject({ endpoint: name.nullable() }),
  buildImage: z.strictObject({ task }),
  installRuntime: z.strictObject({ folder: name.nullable() }),
};
