/** Tuned models, gates and rounds in words: the same in terminal and editor. */
import type {
  Bounds,
  Gate,
  PolicyInForce,
  Round,
  TrainingEstimate,
  TrainingStatus,
  TunedModel,
} from "../../protocol/results.ts";
import { bytes, duration, percent, plural } from "./format.ts";

/** `+0.041 (+0.012 to +0.070)`: a difference of qualities with its one-sided bounds of 97.5 %. */
export function boundsText({ mean, low, high }: Bounds): string {
  return `${signed(mean)} (${signed(low)} to ${signed(high)})`;
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
}

/** What a tuned model is worth now: `in force as v2`, `rejected`, ... */
export function stateOf({ id, made, failed, base, kept }: TunedModel, status: TrainingStatus): string {
  const current = status.inForce.find(({ line }) => line === base.line);
  if (current?.model === id) return `in force as v${current.version}`;
  if (failed !== null) return "failed";
  if (made !== "verified") return `begun, ${made}`;
  const gate = status.gates.findLast(({ model }) => model === id);
  const gone = kept ? "" : ", weights cleaned away";
  if (status.promotions.some((one) => one.kind === "promoted" && one.model === id))
    return `was in force${gone}`;
  return gate === undefined ? `not gated yet${gone}` : `${decisions[gate.decision]}${gone}`;
}

export const decisions: Record<Gate["decision"], string> = {
  promote: "passed the gate",
  keep: "not proven better",
  reject: "worse",
  untested: "not tested",
};

/** One fact a row. */
export function tunedRows(model: TunedModel): [name: string, value: string][] {
  const { data, training, merge, fingerprint, served, parent, base, failed, interruption } = model;
  const rows: [string, string][] = [
    ["trained from", parent === null ? base.model : `${base.model}, going on from ${parent}`],
    ["learned from", `${plural(data.groups, "iteration")} of ${data.tasks.join(", ")}`],
  ];
  if (training !== null) {
    const known = training.mismatch === null ? "" : `; mismatch ${training.mismatch.toFixed(4)} nats`;
    rows.push([
      "training",
      `${plural(training.updates, "update")} in ${duration(training.ms)}, ended by ${training.ended}${known}`,
    ]);
  }
  if (merge !== null) {
    const types = Object.entries(merge.types).map(([type, tensors]) => `${tensors} tensors in ${type}`);
    rows.push([
      "merged",
      `${bytes(merge.bytes)}: ${types.join(", ")}; at least ${percent(merge.recovered)} of each update is in it`,
    ]);
  }
  if (fingerprint !== null)
    rows.push([
      "fingerprint",
      `the server is ${nats(fingerprint.served)} from the tuned weights, ${nats(fingerprint.servedFromBase)} from the base${fingerprint.proven !== false ? "" : ": too little was learned to tell them apart by its answers"}`,
    ]);
  if (served !== null) rows.push(["served as", served.model]);
  if (failed !== null) rows.push(["failed", failed]);
  // Records of an earlier version do not have it.
  if (interruption != null) rows.push(["cut off by", interruption]);
  return rows;
}

function nats(value: number): string {
  return `${value.toPrecision(2)} nats`;
}

export function gateRows({ overCurrent, overBase, against, reason, sameTask }: Gate): [string, string][] {
  const rows: [string, string][] = [];
  if (overCurrent !== null) rows.push([`minus ${against ?? "the base"}`, boundsText(overCurrent)]);
  if (overBase !== null && against !== null) rows.push(["minus the base", boundsText(overBase)]);
  rows.push(["because", reason]);
  if (sameTask && overCurrent !== null)
    rows.push(["same task", "The starts lie in a task that was trained on."]);
  return rows;
}

export function estimateRows(estimate: TrainingEstimate): [string, string][] {
  const { kept, seen, dropped, stage, tunedBytes, model, version, parent } = estimate;
  const left = droppedText(dropped);
  const rows: [string, string][] = [
    ["model", `${model}, to be v${version}${parent === null ? "" : `, going on from ${parent}`}`],
    ["iterations", `${kept} of ${seen} can be trained on${left === "" ? "" : ` (left out: ${left})`}`],
  ];
  if (stage === null) return rows;
  rows.push(
    ["device", stage.device],
    ["updates", String(stage.updates)],
    ["time", stage.seconds === null ? "not measured" : `about ${duration(stage.seconds * 1000)}`],
    ["memory", `about ${bytes(stage.memory)}, ${stage.fits ? "which is free" : "more than is free"}`],
    [
      "disk",
      `${bytes(stage.disk)} while it trains, the tuned model at most ${bytes(tunedBytes)}; ${bytes(stage.diskFree)} are free`,
    ],
  );
  return rows;
}

/** `round 2: promoted m2, 48 informative iterations`. */
export function roundText(round: Round): string {
  return `round ${round.number}: ${roundWords(round)}`;
}

/** `promoted m2, 48 informative iterations`. */
export function roundWords({ step, model, promoted, informative }: Round): string {
  const what =
    step === "done"
      ? `${promoted ? "promoted" : "did not promote"} ${model ?? "a model"}`
      : { collect: "collecting", "fine-tune": "training", gate: "proving" }[step];
  const found = informative > 0 ? `, ${plural(informative, "informative iteration")}` : "";
  return `${what}${found}`;
}

/** What a model's name means from now on. */
export function inForceText({ base, version, model }: PolicyInForce): string {
  return model === null
    ? `${base} itself is in force.`
    : `${base} now means tuned model ${model} (v${version}); ${base}#v0 is the base.`;
}

/** Why some iterations are not trained on: `uninformative: 3, held out: 1`; empty where all are. */
export function droppedText(dropped: TrainingEstimate["dropped"]): string {
  return Object.entries(dropped)
    .map(([reason, groups]) => `${reason}: ${groups}`)
    .join(", ");
}
