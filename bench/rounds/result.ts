/** The gates of a bootstrap as tables: mean quality by step, base against the tuned models. */
import type { CurveRow, Gate, TrainingStatus } from "../../src/protocol/results.ts";

export function resultLines(status: TrainingStatus): string[] {
  const [bootstrap] = status.bootstraps.slice(-1);
  const rounds = bootstrap?.rounds.map(
    ({ number, model, informative, promoted }) =>
      `round ${number}: ${informative} informative iterations, ${model} ${promoted ? "promoted" : "not promoted"}`,
  );
  return [
    ...(rounds ?? []),
    `${bootstrap?.ended ?? ""} ${minutes(bootstrap?.spentMs ?? 0)}`,
    ...status.gates.filter(({ id }) => bootstrap?.rounds.some(({ gate }) => gate === id)).flatMap(gateLines),
  ];
}

function gateLines(gate: Gate): string[] {
  const protocol = gate.evaluation?.protocols[0];
  if (protocol === undefined) return ["", `${gate.model}: ${gate.reason}`];
  const names = [gate.model, ...(gate.against === null ? [] : [gate.against]), "base"];
  const curves = protocol.policies;
  const [first] = curves;
  const lines = [
    "",
    `${gate.id}: ${gate.model} ${gate.decision}. ${gate.reason}`,
    `${gate.evaluation?.n} chains from each of ${protocol.starts} starts${lost(gate)}:`,
    `| k | ${names.map((name) => `${name}: quality, 95 % interval`).join(" | ")} |`,
    `|---|${names.map(() => "---|").join("")}`,
    ...(first?.rows ?? []).map(
      ({ k }) => `| ${k} | ${curves.map(({ rows }) => cell(rows[k])).join(" | ")} |`,
    ),
  ];
  for (const [place, name] of names.entries()) {
    const last = place === 0 ? undefined : curves[place]?.difference?.at(-1)?.quality;
    if (last === undefined) continue;
    const over = last.overTasks;
    const tasks = over === null ? "" : `; over tasks as well ${signed(-over.high)} to ${signed(-over.low)}`;
    lines.push(
      `${gate.model} minus ${name} at the last step: ${signed(-last.mean)}, ${signed(-last.high)} to ${signed(-last.low)} over chains${tasks}`,
    );
  }
  return lines;
}

/** What does not count. */
function lost({ evaluation }: Gate): string {
  const leftOut = evaluation?.leftOut ?? [];
  const dropped = (evaluation?.protocols[0]?.policies ?? []).reduce((sum, curve) => sum + curve.dropped, 0);
  return [
    ...(dropped > 0 ? [`, ${dropped} chains dropped`] : []),
    ...(leftOut.length > 0 ? [`, left out: ${leftOut.map(({ task }) => task).join(" ")}`] : []),
  ].join("");
}

function cell(row: CurveRow | undefined): string {
  if (row === undefined) return "-";
  const { mean, low, high } = row.quality;
  return `${mean.toFixed(3)}, ${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
}

function minutes(ms: number): string {
  return `Took ${Math.round(ms / 60_000)} min.`;
}
