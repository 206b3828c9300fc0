/**
 * The parameters of every method, as the runner checks them before anything else sees them. Methods that change
 * something are strict: an option this runner does not know is refused, not ignored.
 */
import { z } from "zod";
import { messageOf } from "../core/errors.ts";
import { guaranteeNames } from "../core/guarantees.ts";
import { strategies } from "../core/history.ts";
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

/** One schema per method. */
export const requestSchemas = {
  init: initRequest,
  check: z.strictObject({ task }),
  score: z.strictObject({ task, from: name.nullable() }),
  startRun: runRequest,
  stopRun: nothing,
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
  export: z.strictObject({ out: name, task }),
  clean: z.strictObject({ dryRun: z.boolean(), exports: z.boolean() }),
  models: z.object({ endpoint: name.nullable().exactOptional() }),
  allowEndpoint: z.strictObject({ endpoint: name.nullable() }),
  buildImage: z.strictObject({ task }),
  installRuntime: z.strictObject({ folder: name.nullable() }),
};
