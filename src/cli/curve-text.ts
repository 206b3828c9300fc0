/** The tables of `exit-ml evaluate`: one for each protocol and policy, k by k, with the curve drawn beside it. */
import { duration, plural } from "../client/words/format.ts";
import { printable } from "../client/words/printable.ts";
import type { Style } from "../client/words/style.ts";
import type { CurveRow, Estimate, EvaluationReport, PolicyCurve } from "../protocol/results.ts";

/** Characters of a drawn curve. */
const plotWidth = 24;

const meaning = {
  chain: "each step goes on from the latest iterate",
  greedy:
    "each step goes on from the best so far, which is scored again on a fresh seed before it is reported",
};

export function evaluationText(report: EvaluationReport, style: Style): string[] {
  const { starts, sameTask, K, n, seed, steps, scorings } = report;
  const where = starts.some(({ node }) => node !== null)
    ? plural(starts.length, "held-out start")
    : plural(starts.length, "task");
  const lines = [
    `${where}, ${plural(n, "chain")} each, ${plural(K, "step")}, seed ${seed}. Quality from 0 to 1; k = 0 is the start as it is; in brackets 95 % intervals over chains.`,
  ];
  if (sameTask)
    lines.push(
      style.yellow("Same task: the starts belong to a task that is trained on, not to one that is held out."),
    );
  for (const { task, reason } of report.leftOut)
    lines.push(style.yellow(`Left out: ${printable(task)}. ${printable(reason)}`));
  for (const { protocol, policies, starts: counted } of report.protocols) {
    lines.push("", style.bold(`${protocol}: ${meaning[protocol]}`));
    if (policies.length === 0)
      lines.push("From no start has every policy a chain left; nothing can be compared.");
    else if (counted < starts.length)
      lines.push(
        style.yellow(
          `${counted} of ${starts.length} starts count: from the others a policy has no chain left.`,
        ),
      );
    const names = namesOf(policies);
    const scale = scaleOf(policies);
    for (const [place, curve] of policies.entries())
      lines.push("", ...curveText(curve, { name: names[place] ?? "", first: names[0] ?? "", scale, style }));
  }
  const answered = scorings.asked === 0 ? 0 : Math.round((100 * scorings.cached) / scorings.asked);
  lines.push(
    "",
    `${plural(steps.made, "step")}, ${steps.earlier} of them made before; the score cache answered ${scorings.cached} of ${plural(scorings.asked, "score")} (${answered} %). Took ${duration(report.ms)}.`,
  );
  return lines;
}

/** The model's name where that tells them apart, else the whole name of the version. */
function namesOf(policies: readonly PolicyCurve[]): string[] {
  const short = policies.map(({ policy }) => printable(policy.split("@")[0] ?? policy));
  return short.map((name, place) =>
    short.filter((other) => other === name).length > 1 ? printable(policies[place]?.policy ?? name) : name,
  );
}

interface Scale {
  readonly low: number;
  readonly high: number;
}

/** All curves of a protocol are drawn to one scale. */
function scaleOf(policies: readonly PolicyCurve[]): Scale {
  const ends = policies.flatMap(({ rows }) => rows.flatMap(({ quality }) => [quality.low, quality.high]));
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

function curveText(
  { chains, dropped, rows, difference }: PolicyCurve,
  how: { readonly name: string; readonly first: string; readonly scale: Scale; readonly style: Style },
): string[] {
  const { name, first, scale, style } = how;
  const lost = dropped === 0 ? "" : `, ${dropped} dropped (a step had no quality twice)`;
  const header = ["k", "quality", "best so far", "net corrections", "valid"];
  const table = rows.map((row) => [
    String(row.k),
    row.k === 0 ? fixed(row.quality.mean) : `${fixed(row.quality.mean)} ${bracket(row.quality)}`,
    fixed(row.best.mean),
    signed(row.netCorrections.mean),
    `${Math.round(100 * row.valid.mean)} %`,
  ]);
  if (difference !== null) {
    header.push(`minus ${first}`);
    for (const [place, row] of difference.entries()) table[place]?.push(differenceText(row));
  }
  header.push(`${fixed(scale.low)} ${"·".repeat(Math.max(0, plotWidth - 14))} ${fixed(scale.high)}`);
  for (const [place, row] of rows.entries()) table[place]?.push(plot(row.quality, scale));
  const [top = "", ...below] = columns([header, ...table]);
  const lines = [`${style.cyan(name)}  ${plural(chains, "chain")}${lost}`, style.dim(top), ...below];
  const last = rows.at(-1)?.quality;
  if (last?.overTasks != null)
    lines.push(
      style.dim(
        `Over tasks as well, at k = ${rows.length - 1}: quality ${bracket(last.overTasks)}${overTasks(difference)}`,
      ),
    );
  return lines;
}

function overTasks(difference: readonly CurveRow[] | null): string {
  const last = difference?.at(-1)?.quality.overTasks;
  return last == null ? "" : `, difference ${bracket(last, signed)}`;
}

function differenceText({ k, quality }: CurveRow): string {
  if (k === 0) return ""; // all begin alike
  return `${signed(quality.mean)} ${bracket(quality, signed)}`;
}

function bracket({ low, high }: { readonly low: number; readonly high: number }, write = fixed): string {
  return `[${write(low)}, ${write(high)}]`;
}

const fixed = (value: number): string => value.toFixed(3);

const signed = (value: number): string => `${value < 0 ? "-" : "+"}${fixed(Math.abs(value))}`;

/** The mean as a point on its interval. */
function plot({ low, mean, high }: Estimate, scale: Scale): string {
  const span = scale.high - scale.low;
  const place = (value: number): number =>
    span === 0 ? 0 : Math.round(((value - scale.low) / span) * (plotWidth - 1));
  return Array.from({ length: plotWidth }, (_, at) => {
    if (at === place(mean)) return "●";
    return at >= place(low) && at <= place(high) ? "─" : " ";
  })
    .join("")
    .trimEnd();
}

/** Rows as lines, each column as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
