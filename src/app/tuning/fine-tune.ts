/**
 * Fine-tuning the model that searched on its own informative iterations: export, train, merge, install, verify
 * (EXIT.md sections 5 to 7). Each step is stored as it ends; called again after a kill it goes on with the next.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ExitError, isExitError, messageOf } from "../../core/errors.ts";
import type { Policy } from "../../core/ports.ts";
import type { StageRequest } from "../../core/tuning/ports.ts";
import { inForce } from "../../core/tuning/promotions.ts";
import {
  defaultTraining,
  hasMade,
  type Making,
  type TrainingSettings,
  type TunedModel,
  unfinishedOf,
} from "../../core/tuning/tuned-model.ts";
import type { FineTuneRequest } from "../app.ts";
import { exportGroups } from "../export.ts";
import { checkFolder } from "../space.ts";
import { type OpenBase, openBase, requestFor } from "./base-model.ts";
import { withFreedMemory } from "./freed-memory.ts";
import { filesOf, whatIsLeft } from "./model-files.ts";
import type { TuningParts } from "./parts.ts";
import { sampleServed, tokenProbes } from "./probes.ts";

/** Fewer replies that differ say nothing to a model. */
export const leastGroups = 2;

/**
 * @param begun told which model is made, or gone on with
 * @throws ExitError `too-few-groups`, those of `openBase`, of the trainer and of the keeper.
 */
export async function fineTune(
  request: FineTuneRequest,
  parts: TuningParts,
  signal: AbortSignal,
  begun: (model: TunedModel) => void = () => {},
): Promise<TunedModel> {
  const opened = await openBase(request, parts, signal);
  try {
    const settings = { ...defaultTraining, ...request.training };
    await opened.keeper.accept(settings.form, signal);
    const { tuning } = parts.store;
    const { line } = opened.base;
    const { model: parent } = inForce(tuning.promotions(), line);
    const unfinished = unfinishedOf(tuning.models(), { line, parent, settings });
    const left = unfinished === null ? null : await whatIsLeft(unfinished, opened.keeper, parts, signal);
    const model = left ?? (await begin(opened, settings, parts, signal));
    begun(model);
    return await make(model, opened, parts, signal);
  } finally {
    await opened.policy.close();
  }
}

/** Makes what is missing of a tuned model; of a finished one whose weights were cleaned away, these. */
export async function make(
  begun: TunedModel,
  opened: OpenBase,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<TunedModel> {
  let model = begun;
  const { store, emit } = parts;
  const ended = (made: Making, facts: Partial<TunedModel>): void => {
    model = { ...model, ...facts, made, interruption: null };
    // One that is only made anew stays what it is: cut off, it must not pass for one that is still to be finished.
    if (begun.fingerprint !== null && made !== "verified") return;
    store.tuning.putModel(model);
    emit({ type: "tuningChanged" });
  };
  const isMade = (step: Making): boolean => hasMade(model.made, step);
  const tell = (event: { readonly event: string; readonly text: string }): void =>
    emit({ type: "trainer", model: model.id, event });
  const say = (text: string): void => emit({ type: "progress", text });

  if (!isMade("merged")) {
    // Before hours of training: the tuned file is at least as large as the base's.
    const { size } = await stat(opened.file);
    await checkFolder(parts.modelsFolder, "the tuned model and its training", size, parts.freeBytes);
  }
  await parts.trainer.prepare(say, signal);
  const { groups, adapter, file } = filesOf(model, parts.modelsFolder);
  const stage = stageOf(model, opened, parts, await probesOf(model, opened.policy, signal));
  try {
    await withFreedMemory(opened, parts, signal, async () => {
      if (!isMade("trained")) ended("trained", { training: await parts.trainer.train(stage, tell, signal) });
      const { form, device } = model.settings;
      const what = { model: opened.file, adapter, file, form };
      if (!isMade("merged")) {
        const name = `${model.base.model} ${model.id}`;
        ended("merged", { merge: await parts.trainer.merge({ ...what, name }, tell, signal) });
      }
      if (!isMade("installed"))
        ended("installed", {
          served: await opened.keeper.install({ id: model.id, file, form }, say, signal),
          kept: true,
        });
      if (isMade("verified")) return;
      say("Asking the tuned model, to compare its answers with the weights that were trained");
      const served = await sampleServed(requestFor(model.base, model.id), groups, parts, signal);
      await opened.keeper.unload([model.served?.model ?? ""], say, signal);
      ended("verified", {
        fingerprint: await parts.trainer.verify({ ...what, served, device }, tell, signal),
      });
    });
  } catch (error) {
    const text = messageOf(error);
    const isLost = isExitError(error) && isFinal.has(error.reason);
    // What is only made anew stays what it is; and who stopped it knows why.
    if (isLost || (begun.fingerprint === null && !signal.aborted)) {
      store.tuning.putModel({
        ...model,
        failed: isLost ? text : model.failed,
        interruption: isLost ? null : text,
      });
      emit({ type: "tuningChanged" });
    }
    throw error;
  }
  // A server has its own copy; the embedded runtime reads this one.
  if (model.base.runtime === "ollama") await rm(file, { force: true });
  return model;
}

/** Trying again would end the same. */
const isFinal: ReadonlySet<string> = new Set([
  ...["trainer-groups", "trainer-mismatch", "trainer-tokenizer", "trainer-fingerprint", "trainer-no-effect"],
  "trainer-diverged",
]);

async function begin(
  { base }: OpenBase,
  settings: TrainingSettings,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<TunedModel> {
  const { store, modelsFolder, clock } = parts;
  const { models, promotions } = store.tuning;
  const id = `m${models().length + 1}`;
  const folder = join(modelsFolder, id);
  // Of one that was begun and never stored.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { version, model: parent } = inForce(promotions(), base.line);
  const policy = `${base.line}#v${version}`;
  const out = join(folder, "export");
  const report = await exportGroups({ out, task: null, policy }, parts);
  if (report.kept < leastGroups) {
    await rm(folder, { recursive: true, force: true });
    throw new ExitError("too-few-groups", tooFew(base.model, report));
  }
  signal.throwIfAborted();
  const model: TunedModel = {
    id,
    base,
    parent,
    createdAt: clock.now(),
    made: "exported",
    ...{ failed: null, interruption: null },
    data: {
      groups: report.kept,
      seen: report.seen,
      tasks: report.tasks,
      policies: report.policies,
      sha256: await sha256Of(join(out, "groups.jsonl")),
    },
    settings,
    ...{ training: null, merge: null, served: null, fingerprint: null, kept: true },
  };
  store.tuning.putModel(model);
  parts.emit({ type: "tuningChanged" });
  return model;
}

function tooFew(
  model: string,
  { kept, seen, dropped }: { kept: number; seen: number; dropped: object },
): string {
  const why = Object.entries(dropped).map(([reason, count]) => `${reason}: ${count}`);
  const left = why.length > 0 ? ` Left out: ${why.join(", ")}.` : "";
  return `There is too little to learn from for ${model}: of ${seen} iterations ${kept} can be trained on, ${leastGroups} are needed.${left} Search longer with "exit-ml run --strategy exit", then fine-tune.`;
}

function probesOf(model: TunedModel, policy: Policy, signal: AbortSignal): Promise<StageRequest["probes"]> {
  return model.made === "exported" ? tokenProbes(policy, signal) : Promise.resolve([]);
}

function stageOf(
  model: TunedModel,
  { file }: OpenBase,
  { modelsFolder, store }: TuningParts,
  probes: StageRequest["probes"],
): StageRequest {
  const { groups, stage: out } = filesOf(model, modelsFolder);
  const adapter = model.parent === null ? null : join(modelsFolder, model.parent, "stage", "adapter");
  const { line } = model.base;
  const policy = `${line}#v${inForce(store.tuning.promotions(), line).version}`;
  return { model: file, groups, out, adapter, policy, settings: model.settings, probes };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
