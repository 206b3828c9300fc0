/** The gate (EXIT.md section 7): a tuned model is put in force only if it is proven better on what it never saw. */
import { ExitError, isExitError } from "../../core/errors.ts";
import type { EvaluationReport } from "../../core/reports.ts";
import { type Bounds, type Gate, judge } from "../../core/tuning/gate.ts";
import { inForce } from "../../core/tuning/promotions.ts";
import { type TunedModel, tasksLearned } from "../../core/tuning/tuned-model.ts";
import type { EvaluateRequest, GateRequest } from "../app.ts";
import { evaluatePolicies } from "../evaluate.ts";
import { requestFor } from "./base-model.ts";
import { findTuned } from "./find-tuned.ts";
import type { TuningParts } from "./parts.ts";
import { promote, refuseUseless, remake } from "./promote.ts";
import { tidyModels } from "./tidy.ts";

/**
 * Evaluates a tuned model beside the one in force and the base, first with few chains, and with more where these leave
 * it open; promotes it if it passes. Called again it goes on with the chains that are there.
 * @throws ExitError `model-unknown`, `model-unverified`, those of the evaluation.
 */
export async function passGate(request: GateRequest, parts: TuningParts, signal: AbortSignal): Promise<Gate> {
  const { store, clock } = parts;
  const model = findTuned(request.model, store.tuning.models());
  refuseUseless(model);
  const against = inForce(store.tuning.promotions(), model.base.line).model;
  if (against === model.id)
    throw new ExitError("model-in-force", `Tuned model ${model.id} is in force already.`);
  const facts = {
    ...{ id: `g${store.tuning.gates().length + 1}`, model: model.id, against },
    at: clock.now(),
  };
  await remake(model, parts, signal);
  const found = await evaluated(model, against, request, parts, signal);
  const gate: Gate = { ...facts, ...found };
  store.tuning.putGate(gate);
  parts.emit({ type: "tuningChanged" });
  if (gate.decision === "promote") await promote({ model: model.id, ungated: false }, parts, signal);
  else await tidyModels(parts, signal);
  return gate;
}

type Found = Pick<Gate, "decision" | "reason" | "overCurrent" | "overBase" | "sameTask" | "evaluation">;

async function evaluated(
  model: TunedModel,
  against: string | null,
  request: GateRequest,
  parts: TuningParts,
  signal: AbortSignal,
): Promise<Found> {
  const versions = against === null ? [model.id, "v0"] : [model.id, against, "v0"];
  const [first, second] = request.chains;
  const proof = provingOn(await heldOutTasks(parts), tasksLearned(model, parts.store.tuning.models()));
  if ("unfit" in proof) return untested(proof.unfit);
  const asked = {
    policies: versions.map((version) => requestFor(model.base, version)),
    ...{ limit: null, K: request.K, protocols: ["chain"] as const, seed: request.seed },
    ...proof,
    maxReplyTokens: request.maxReplyTokens ?? lastReplyLimit(parts),
    allowMissing: parts.store.runs().at(-1)?.provenance?.allowedMissing ?? [],
  };
  const look = async (n: number) => {
    const report = await evaluatePolicies({ ...asked, n } satisfies EvaluateRequest, parts, signal);
    return { report, bounds: boundsOf(report, request.K) };
  };
  try {
    let { report, bounds } = await look(first);
    let judgement = judge(bounds.overCurrent, bounds.overBase, second <= first);
    if (judgement.decision === "more") {
      const text = `${first} chains leave it open (quality ${bounds.overCurrent.mean.toFixed(3)}): ${second} are sampled.`;
      parts.emit({ type: "message", level: "info", text });
      ({ report, bounds } = await look(second));
      judgement = judge(bounds.overCurrent, bounds.overBase, true);
    }
    if (judgement.decision === "more") throw new RangeError("the last look decides");
    return { ...judgement, ...bounds, sameTask: report.sameTask, evaluation: report };
  } catch (error) {
    if (isExitError(error, "task-needed")) return untested("none of the tasks is held out.");
    if (isExitError(error, "no-start") || isExitError(error, "no-task")) return untested(error.message);
    throw error;
  }
}

/**
 * Rounds are refused where it is plain from the beginning that none of their tuned models could be proven.
 * @throws ExitError `nothing-held-out`.
 */
export async function refuseUnprovable(parts: Pick<TuningParts, "workspace">): Promise<void> {
  const { tasks } = await parts.workspace.tasks();
  // Of the only task, starts are held out.
  if (tasks.length < 2 || (await heldOutTasks(parts)).length > 0) return;
  throw new ExitError(
    "nothing-held-out",
    `None of the ${tasks.length} tasks is held out, so no tuned model could be proven better. Mark at least one with "split": "heldout"; it is not searched or trained on then.`,
  );
}

/**
 * What it is proven on: held-out tasks, or held-out starts of the only task. A task that was trained on and marked
 * afterwards proves nothing, and of several tasks no start was held out.
 */
export function provingOn(
  heldOut: readonly string[],
  learned: ReadonlySet<string>,
): { readonly tasks: readonly string[]; readonly heldOutStarts: boolean } | { readonly unfit: string } {
  const unseen = heldOut.filter((name) => !learned.has(name));
  if (unseen.length > 0) return { tasks: unseen.length < heldOut.length ? unseen : [], heldOutStarts: false };
  if (heldOut.length > 0)
    return {
      unfit: `it was trained on what is held out now (${heldOut.join(", ")}) before that was marked.`,
    };
  if (learned.size > 1) return { unfit: "it was trained on several tasks, and none is held out." };
  return { tasks: [], heldOutStarts: true };
}

function untested(why: string): Found {
  return {
    decision: "untested",
    reason: `It is not promoted, since nothing here can prove it: ${why} Mark tasks that it was not trained on with "split": "heldout".`,
    ...{ overCurrent: null, overBase: null, sameTask: false, evaluation: null },
  };
}

/** The evaluation compares the others with the tuned model, which is the first: here it is the other way round. */
function boundsOf(report: EvaluationReport, K: number): { overCurrent: Bounds; overBase: Bounds } {
  const over = (place: number): Bounds => {
    const difference = report.protocols[0]?.policies.at(place)?.difference?.[K]?.quality;
    if (difference === undefined)
      throw new ExitError(
        "no-start",
        "No start is left from which every model has a chain: the evaluation says which were dropped.",
      );
    return { mean: -difference.mean, low: -difference.high, high: -difference.low };
  };
  return { overCurrent: over(1), overBase: over(-1) };
}

async function heldOutTasks({ workspace }: Pick<TuningParts, "workspace">): Promise<readonly string[]> {
  const heldOut: string[] = [];
  for (const { name } of (await workspace.tasks()).tasks) {
    const task = await workspace.resolve(name).catch(() => null);
    if (task?.definition.split === "heldout") heldOut.push(name);
  }
  return heldOut;
}

function lastReplyLimit({ store }: Pick<TuningParts, "store">): number {
  return store.runs().at(-1)?.settings.maxReplyTokens ?? 1024;
}
