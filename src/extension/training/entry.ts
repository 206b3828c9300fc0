/** The rows of the Training tree: what is under way, then rounds, models, gates and exports, the newest first. */
import type { TuningBoard } from "../../client/tuning-board.ts";
import { count, duration, plural } from "../../client/words/format.ts";
import {
  boundsText,
  decisions,
  gateRows,
  roundWords,
  stateOf,
  tunedRows,
} from "../../client/words/tuning-text.ts";
import type { Bootstrap, Gate, Round, TrainingStatus, TunedModel } from "../../protocol/results.ts";
import type { Row } from "../tree/row.ts";
import { liveWords, titleOf } from "./tuning-words.ts";

/** What a row stands for. */
export type Entry =
  | { readonly kind: "job" }
  | { readonly kind: "section"; readonly id: Section }
  | { readonly kind: "bootstrap"; readonly id: string }
  | { readonly kind: "round"; readonly bootstrap: string; readonly number: number }
  | { readonly kind: "model"; readonly id: string }
  /** A gate stands below Gates, and below the model it tested. */
  | { readonly kind: "gate"; readonly id: string; readonly below: "section" | "model" }
  | { readonly kind: "export"; readonly id: string }
  /** One line about the thing it is below. */
  | { readonly kind: "fact"; readonly of: Entry; readonly name: string; readonly value: string };

const sections = ["Rounds", "Models", "Gates", "Exports"] as const;
type Section = (typeof sections)[number];

export interface View {
  readonly training: TrainingStatus | null;
  /** What is under way. */
  readonly board: TuningBoard | null;
  /** Names of folders, the newest first. */
  readonly exports: readonly string[];
}

export function childEntries(view: View, parent: Entry | null): readonly Entry[] {
  if (parent === null) {
    const filled = sections.filter((id) => membersOf(view, id).length > 0);
    const job: Entry[] = view.board === null ? [] : [{ kind: "job" }];
    return [...job, ...filled.map((id): Entry => ({ kind: "section", id }))];
  }
  switch (parent.kind) {
    case "section":
      return membersOf(view, parent.id);
    case "bootstrap":
      return roundsOf(view, parent.id).map(({ number }) => ({ kind: "round", bootstrap: parent.id, number }));
    case "model": {
      const gates = (view.training?.gates ?? []).filter(({ model }) => model === parent.id);
      return [
        ...factsOf(view, parent),
        ...gates.map(({ id }): Entry => ({ kind: "gate", id, below: "model" })).reverse(),
      ];
    }
    case "gate":
      return factsOf(view, parent);
    default:
      return [];
  }
}

/**
 * What stands above the rows: what went wrong, else the next step where the rows do not name one. Without rows the
 * welcome text says it, which a message would hide.
 */
export function messageAbove(view: View, failure: string | null): string {
  if (childEntries(view, null).length === 0) return "";
  if (failure !== null) return failure;
  const { models = [], bootstraps = [] } = view.training ?? {};
  return models.length > 0 || bootstraps.length > 0 || view.board !== null
    ? ""
    : "Nothing is tuned yet: Fine-Tune Local Model makes a tuned model.";
}

function membersOf({ training, exports }: View, section: Section): readonly Entry[] {
  const newestFirst = <T>(all: readonly T[] | undefined): readonly T[] => [...(all ?? [])].reverse();
  switch (section) {
    case "Rounds":
      return newestFirst(training?.bootstraps).map(({ id }) => ({ kind: "bootstrap", id }));
    case "Models":
      return newestFirst(training?.models).map(({ id }) => ({ kind: "model", id }));
    case "Gates":
      return newestFirst(training?.gates).map(({ id }) => ({ kind: "gate", id, below: "section" }));
    case "Exports":
      return exports.map((id) => ({ kind: "export", id }));
  }
}

function roundsOf({ training }: View, bootstrap: string): readonly Round[] {
  return training?.bootstraps.find(({ id }) => id === bootstrap)?.rounds ?? [];
}

/** The facts about a model or a gate, one a row. */
export function factRows(view: View, entry: Entry): readonly [name: string, value: string][] {
  if (entry.kind === "model") {
    const model = view.training?.models.find(({ id }) => id === entry.id);
    return model === undefined ? [] : tunedRows(model);
  }
  if (entry.kind === "gate") {
    const gate = view.training?.gates.find(({ id }) => id === entry.id);
    return gate === undefined ? [] : gateRows(gate);
  }
  return [];
}

function factsOf(view: View, of: Entry): readonly Entry[] {
  return factRows(view, of).map(([name, value]) => ({ kind: "fact", of, name, value }));
}

/** Null for what is gone since it was asked for. */
export function rowOf(view: View, entry: Entry): Row | null {
  const { training, board } = view;
  switch (entry.kind) {
    case "job":
      return board === null ? null : jobRow(board);
    case "section":
      return sectionRow(view, entry.id);
    case "fact":
      return factRow(entry);
    case "export":
      return exportRow(entry.id);
    case "bootstrap": {
      const bootstrap = training?.bootstraps.find(({ id }) => id === entry.id);
      return bootstrap === undefined ? null : bootstrapRow(bootstrap, board?.job === "rounds");
    }
    case "round": {
      const round = roundsOf(view, entry.bootstrap).find(({ number }) => number === entry.number);
      return round === undefined ? null : roundRow(entry.bootstrap, round);
    }
    case "model": {
      const model = training?.models.find(({ id }) => id === entry.id);
      return model === undefined || training === null ? null : modelRow(model, training, board);
    }
    case "gate": {
      const gate = training?.gates.find(({ id }) => id === entry.id);
      return gate === undefined ? null : gateRow(gate, entry.below);
    }
  }
}

function jobRow(board: TuningBoard): Row {
  const label = titleOf(board);
  const description = liveWords(board);
  return {
    id: "job",
    label,
    description,
    tooltip: [`**${escaped(label)}**`, escaped(description)].join("\n\n"),
    spoken: `Under way: ${label}, ${description}`,
    icon: { name: "loading~spin", colour: null },
    flags: "job",
    open: "leaf",
  };
}

const sectionIcons: Record<Section, string> = {
  Rounds: "history",
  Models: "hubot",
  Gates: "law",
  Exports: "export",
};

function sectionRow(view: View, section: Section): Row {
  const number = count(membersOf(view, section).length);
  return {
    id: section,
    label: section,
    description: number,
    tooltip: section,
    spoken: `${section}, ${number}`,
    icon: { name: sectionIcons[section], colour: null },
    flags: "section",
    open: section === "Models" || section === "Rounds" ? "expanded" : "collapsed",
  };
}

function bootstrapRow(
  { id, rounds, ended, interruption, spentMs, startedAt }: Bootstrap,
  isUnderWay: boolean,
): Row {
  const promoted = rounds.filter((round) => round.promoted).length;
  const state =
    ended ?? (isUnderWay ? "under way" : `interrupted: ${interruption ?? "Bootstrap goes on with it"}`);
  const facts = [plural(rounds.length, "round"), `${promoted} promoted`, state];
  return {
    id,
    label: id,
    description: facts.join(" · "),
    tooltip: [`**${id}**`, escaped(state), `begun ${startedAt}, worked ${duration(spentMs)}`].join("\n\n"),
    spoken: `Bootstrap ${id}, ${facts.join(", ")}`,
    icon: { name: ended === null ? "sync" : "history", colour: null },
    flags: "bootstrap",
    open: ended === null ? "expanded" : "collapsed",
  };
}

function roundRow(bootstrap: string, round: Round): Row {
  const label = `round ${round.number}`;
  const words = roundWords(round);
  const icon =
    round.step !== "done"
      ? { name: "circle-outline", colour: null }
      : round.promoted
        ? { name: "arrow-up", colour: "charts.green" }
        : { name: "dash", colour: null };
  return {
    id: `${bootstrap}/${round.number}`,
    label,
    description: words,
    tooltip: [`**${label}**`, escaped(words), ...(round.gate === null ? [] : [`gate ${round.gate}`])].join(
      "\n\n",
    ),
    spoken: `Round ${round.number}, ${words}`,
    icon,
    flags: "round",
    open: "leaf",
  };
}

function modelRow(model: TunedModel, training: TrainingStatus, board: TuningBoard | null): Row {
  const { id, base, failed, made } = model;
  const inForce = training.inForce.some(({ line, model: current }) => line === base.line && current === id);
  const state = board?.model === id && made !== "verified" ? "being made" : stateOf(model, training);
  const usable = made === "verified" && failed === null;
  return {
    id,
    label: id,
    description: `${state} · ${base.model}`,
    tooltip: tooltip(`**${id}** ${escaped(state)}`, tunedRows(model)),
    spoken: `Tuned model ${id}, ${state}, from ${base.model}`,
    icon: inForce
      ? { name: "star-full", colour: "charts.yellow" }
      : modelIcon(
          model,
          training.gates.findLast((gate) => gate.model === id),
        ),
    flags: [
      "model folder details",
      ...(made === "exported" ? [] : ["metrics"]),
      ...(usable && !inForce ? ["gate promote"] : []),
      ...(inForce ? ["rollback"] : []),
    ].join(" "),
    open: "collapsed",
  };
}

function modelIcon({ failed, made }: TunedModel, gate: Gate | undefined): Row["icon"] {
  if (failed !== null) return { name: "error", colour: "charts.red" };
  if (made !== "verified") return { name: "circle-large-outline", colour: null };
  return gate === undefined ? { name: "hubot", colour: null } : gateIcon(gate);
}

function gateRow(gate: Gate, below: "section" | "model"): Row {
  const { id, model, against, decision, overCurrent } = gate;
  const rivals = `${model} against ${against ?? "the base"}`;
  const bounds = overCurrent === null ? [] : [boundsText(overCurrent)];
  const facts = [decisions[decision], ...bounds];
  return {
    id: below === "model" ? `${model}/${id}` : id,
    label: below === "model" ? `gate ${id}` : id,
    description: [...facts, ...(below === "model" ? [] : [rivals])].join(" · "),
    tooltip: tooltip(`**${id}** ${decisions[decision]}: ${rivals}`, gateRows(gate)),
    spoken: `Gate ${id}, ${rivals}, ${facts.join(", ")}`,
    icon: gateIcon(gate),
    flags: "gated details",
    open: "collapsed",
  };
}

const gateIcons: Record<Gate["decision"], Row["icon"]> = {
  promote: { name: "pass", colour: "charts.green" },
  keep: { name: "dash", colour: null },
  reject: { name: "arrow-down", colour: "charts.red" },
  untested: { name: "question", colour: null },
};

function gateIcon({ decision }: Gate): Row["icon"] {
  return gateIcons[decision];
}

function exportRow(name: string): Row {
  return {
    id: `export:${name}`,
    label: name,
    description: "",
    tooltip: `Training data in \`.exit/exports/${name}\``,
    spoken: `Export ${name}; activate to read its card`,
    icon: { name: "file-zip", colour: null },
    flags: "export folder",
    open: "leaf",
  };
}

function factRow({ of, name, value }: Extract<Entry, { kind: "fact" }>): Row {
  const owner = of.kind === "gate" ? `${of.below}:${of.id}` : of.kind === "model" ? of.id : of.kind;
  return {
    id: `${owner}/${name}`,
    label: name,
    description: value,
    tooltip: escaped(value),
    spoken: `${name}: ${value}`,
    icon: { name: "blank", colour: null },
    flags: "fact",
    open: "leaf",
  };
}

/** Markdown. */
function tooltip(heading: string, rows: readonly (readonly [name: string, value: string])[]): string {
  return [heading, ...rows.map(([name, value]) => `${name}: ${escaped(value)}`)].join("\n\n");
}

/** Names of models and folders may hold what Markdown reads as a sign. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~]/g, "\\$&");
}
