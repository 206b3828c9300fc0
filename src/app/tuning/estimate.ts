/** What a fine-tune would take, before it is begun: nothing of it is kept. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TrainingEstimate } from "../../core/reports.ts";
import { inForce } from "../../core/tuning/promotions.ts";
import { defaultTraining } from "../../core/tuning/tuned-model.ts";
import type { FineTuneRequest } from "../app.ts";
import { exportGroups } from "../export.ts";
import { openBase } from "./base-model.ts";
import { leastGroups } from "./fine-tune.ts";
import { withFreedMemory } from "./freed-memory.ts";
import type { TuningParts } from "./parts.ts";

/** Sixteen bits a weight where the base has four: no tuned file is larger. */
const mostGrowth = 4;

/** @throws ExitError as `fineTune`. */
export async function estimateTraining(
  request: FineTuneRequest,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<TrainingEstimate> {
  const opened = await openBase(request, parts, signal);
  let folder: string | null = null;
  try {
    const settings = { ...defaultTraining, ...request.training };
    await opened.keeper.accept(settings.form, signal);
    folder = await mkdtemp(join(parts.modelsFolder, "estimate.unfinished-"));
    const { base, file } = opened;
    const { version, model: parent } = inForce(parts.store.tuning.promotions(), base.line);
    const out = join(folder, "export");
    const policy = `${base.line}#v${version}`;
    const exported = await exportGroups({ out, task: null, policy }, parts);
    const { size } = await stat(file);
    const about = {
      ...{ model: base.model, version: version + 1, parent },
      ...{ seen: exported.seen, kept: exported.kept, dropped: exported.dropped },
      tunedBytes: mostGrowth * size,
    };
    if (exported.kept < leastGroups) return { ...about, stage: null };
    const say = (text: string): void => parts.emit({ type: "progress", text });
    await parts.trainer.prepare(say, signal);
    const adapter = parent === null ? null : join(parts.modelsFolder, parent, "stage", "adapter");
    const stage = {
      ...{ model: file, groups: join(out, "groups.jsonl"), out: join(folder, "stage") },
      ...{ adapter, policy, settings, probes: [] },
    };
    const measured = await withFreedMemory(opened, parts, signal, () =>
      parts.trainer.estimate(stage, true, ({ text }) => say(text), signal),
    );
    return { ...about, stage: measured };
  } finally {
    await opened.policy.close();
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}
