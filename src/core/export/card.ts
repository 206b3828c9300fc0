/**
 * The card of an export, README.md: what a line is, what was left out and why, where it comes from, whose terms it is
 * under. Its header is the one of the Hugging Face Hub's dataset cards (huggingface.co/docs/hub/datasets-cards), by
 * which `datasets.load_dataset(folder)` finds the examples.
 */
import type { Run } from "../history.ts";
import type { ReplyReason } from "./examples.ts";
import { featuresOf } from "./features.ts";
import { type ExportFormat, formatNotes } from "./format.ts";
import { explanations } from "./format-text.ts";
import { lineForms } from "./line-forms.ts";
import { exportVersion } from "./native.ts";
import type { DropReason, ExportFilter } from "./select.ts";

export interface CardFacts {
  readonly format: ExportFormat;
  /** ISO 8601. */
  readonly at: string;
  readonly filter: ExportFilter;
  /** Groups. */
  readonly seen: number;
  readonly kept: number;
  readonly dropped: ReadonlyMap<DropReason, number>;
  readonly examples: number;
  /** Of the selected groups; `constrained`: of those in the examples. */
  readonly replies: {
    readonly seen: number;
    readonly kept: number;
    readonly dropped: ReadonlyMap<ReplyReason, number>;
  };
  /** Of the selected groups: replies sampled under a JSON Schema. */
  readonly constrained: number;
  /** Of the selected groups. */
  readonly tasks: readonly string[];
  readonly policies: readonly string[];
  /** Those the selected groups come from. */
  readonly runs: readonly Run[];
  /** First line of the workspace's licence file; null: it has none. */
  readonly workspaceLicence: string | null;
}

/** A line of every card, by which an earlier export is known. */
export const cardMark = "by ExIt ML, format version";

export function cardOf(facts: CardFacts): string {
  return [
    ...header(facts),
    "# Informative iterations",
    "",
    `Exported ${facts.at} ${cardMark} ${exportVersion}. Form: ${formatNotes[facts.format].title}.`,
    "",
    ...explanations[facts.format],
    "",
    "## What is in it",
    "",
    ...counts(facts),
    "## Where it comes from",
    "",
    ...provenance(facts),
    "## Licence",
    "",
    ...licences(facts),
    "",
  ].join("\n");
}

function header({ format, examples }: CardFacts): string[] {
  return [
    "---",
    "license: other",
    "license_name: model-and-workspace",
    "task_categories:",
    "- text-generation",
    "size_categories:",
    `- ${sizeCategory(examples)}`,
    "configs:",
    "- config_name: default",
    "  data_files:",
    "  - split: train",
    `    path: ${formatNotes[format].file}`,
    ...columns(format),
    "---",
    "",
  ];
}

/** A parquet file says by itself what its columns are. JSON is YAML. */
function columns(format: ExportFormat): string[] {
  if (format === "verl") return [];
  const features = featuresOf(lineForms[format].row).map((feature) => `  - ${JSON.stringify(feature)}`);
  return ["dataset_info:", "  features:", ...features];
}

/** The Hub's names for sizes. */
function sizeCategory(examples: number): string {
  if (examples < 1e3) return "n<1K";
  if (examples < 1e4) return "1K<n<10K";
  if (examples < 1e5) return "10K<n<100K";
  if (examples < 1e6) return "100K<n<1M";
  return "1M<n<10M";
}

function counts(facts: CardFacts): string[] {
  const { replies } = facts;
  return [
    `Examples: ${facts.examples}. Filter: ${filterText(facts.filter)}.`,
    "",
    "| iterations | count |",
    "| --- | --- |",
    `| seen | ${facts.seen} |`,
    `| kept | ${facts.kept} |`,
    ...[...facts.dropped].map(([reason, number]) => `| left out: ${reason} | ${number} |`),
    "",
    "| replies of the iterations that were converted | count |",
    "| --- | --- |",
    `| seen | ${replies.seen} |`,
    `| kept | ${replies.kept} |`,
    ...[...replies.dropped].map(([reason, number]) => `| left out: ${reason} | ${number} |`),
    "",
    `Tasks: ${facts.tasks.map(code).join(", ") || "none"}.`,
    "",
  ];
}

function filterText({ goals, minQuality, improving, perTask }: ExportFilter): string {
  const parts = [
    ...(goals.length > 0 ? [`goal ${goals.join(" or ")}`] : []),
    ...(minQuality === null ? [] : [`a reply to imitate has at least quality ${minQuality}`]),
    ...(improving ? ["a reply to imitate improves on its start by more than noise"] : []),
    ...(perTask === null ? [] : [`the newest ${perTask} of each task`]),
  ];
  return parts.join("; ") || "none";
}

function provenance({ runs, policies, constrained, replies }: CardFacts): string[] {
  const rows = runs.map(({ id, startedAt, strategy, settings, provenance: known }) =>
    [
      ...[code(id), startedAt, strategy],
      ...(known === null
        ? ["not recorded", "-", "-", "-"]
        : [
            `${code(known.policy.model)} (${known.policy.runtime}, ${known.policy.quantisation ?? "quantisation not named"})`,
            code(known.policy.digest),
            code(known.policy.templateDigest),
            `${code(known.sandbox.image)} ${code(known.sandbox.imageDigest)}`,
          ]),
      ...[settings.groupSize, settings.maxReplyTokens],
    ].join(" | "),
  );
  const columns = ["run", "begun", "strategy", "model", "weights", "chat template", "sandbox image"];
  columns.push("replies an iteration", "longest reply in tokens");
  return [
    `| ${columns.join(" | ")} |`,
    `|${" --- |".repeat(columns.length)}`,
    ...rows.map((row) => `| ${row} |`),
    "",
    `Sampled by: ${policies.map(code).join(", ") || "-"} (model@weights.template#version).`,
    "",
    "Sampling: temperature 1 over the whole vocabulary (no top-k, top-p, min-p or penalties), each reply with a seed of",
    `its own. ${constrained} of ${replies.seen} replies were constrained to a JSON Schema.`,
    "",
  ];
}

function licences({ runs, workspaceLicence }: CardFacts): string[] {
  const models = runs.flatMap(({ provenance: known }) =>
    known === null
      ? []
      : `- Model ${code(known.policy.model)}: ${known.policy.license === null ? "its file names no licence" : code(known.policy.license)}.`,
  );
  const workspace =
    workspaceLicence === null
      ? "it has no licence file"
      : `its licence file begins ${code(workspaceLicence)}`;
  return [
    ...new Set(models),
    `- Workspace: ${workspace}.`,
    "",
    "Replies fall under the terms of the model that wrote them, prompts and solutions under those of the workspace and the",
    "data it shows to the model. Check both before you pass this folder on.",
  ];
}

/** Text of others: on one line, and nothing in it is read as Markdown. */
function code(text: string): string {
  return `\`${text.replace(/[`|\s]+/g, " ").trim()}\``;
}
