/**
 * `npm run test:hostile`: revisions that try to break out, cheat, or take the machine, against the real engine.
 * A line for each case and a total; exit code 1 if one was scored wrongly or left something behind.
 * Names of cases as arguments play only those; `--table` rewrites the table of cases in docs/SANDBOX.md.
 */
import { performance } from "node:perf_hooks";
import { type Case, honest, hostile } from "./case.ts";
import { loadCatalogue, proveTable, writeTable } from "./catalogue.ts";
import { type Outcome, playAll } from "./conformance.ts";
import { dockerProvider } from "./docker.ts";

const catalogue = await loadCatalogue();
const { cases } = catalogue;
const names = process.argv.slice(2);
if (names.includes("--table")) writeTable(catalogue);
else {
  proveTable(catalogue);
  const unknown = names.filter((name) => cases.every(({ id }) => id !== name));
  if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: not among the cases played here`);
  process.exitCode = await play(names.length === 0 ? cases : cases.filter(({ id }) => names.includes(id)));
}

async function play(chosen: readonly Case[]): Promise<number> {
  const began = performance.now();
  // Loads what every case needs, so that it is not counted as the memory of the first.
  const first = hostile({
    ...{ id: "warm-up", tries: "an honest revision", promise: "scored" },
    play: [{ revision: honest, expects: "scored" }],
  });
  await playAll(dockerProvider, [first], 1, (_, outcome) => report(first, outcome));
  const outcomes: Outcome[] = [];
  await playAll(dockerProvider, chosen, 3, (played, outcome) => {
    outcomes.push(outcome);
    report(played, outcome);
  });
  return total(outcomes, performance.now() - began);
}

function report(played: Case, { verdicts, ms, faults, leftovers, notes, memory }: Outcome): void {
  const short = [...new Set(verdicts)].map((verdict) => {
    const times = verdicts.filter((each) => each === verdict).length;
    return times === 1 ? verdict : `${verdict} x${times}`;
  });
  const grown =
    memory === null ? "" : `, +${mebibytes(memory.kept)} MiB kept, +${mebibytes(memory.peak)} peak`;
  const isRight = faults.length === 0 && leftovers.length === 0;
  console.log(
    `${played.id.padEnd(4)} ${played.tries.slice(0, 68).padEnd(68)} ${short.join(", ").padEnd(24)} ${ms.toFixed(0).padStart(6)} ms  ${isRight ? "ok" : "WRONG"}${grown}`,
  );
  for (const note of notes) console.log(`     ${note}`);
  for (const fault of faults) console.log(`     ! ${fault.replaceAll("\n", "\n       ")}`);
  for (const leftover of leftovers) console.log(`     ! left behind: ${leftover}`);
}

function total(outcomes: readonly Outcome[], ms: number): number {
  const count = (is: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + is(outcome), 0);
  const wrong = count(({ faults }) => (faults.length > 0 ? 1 : 0));
  const left = count(({ leftovers }) => leftovers.length);
  const overruns = outcomes.flatMap((outcome) => outcome.overruns);
  const kept = outcomes.flatMap(({ memory }) => (memory === null ? [] : [memory.kept]));
  console.log(
    [
      `${outcomes.length} cases, ${count(({ verdicts }) => verdicts.length)} verdicts: ${wrong} mis-scored, ${left} left behind`,
      `${(ms / 1000).toFixed(0)} s`,
      overruns.length === 0
        ? "no time limit was met"
        : `gone at most ${Math.max(...overruns).toFixed(0)} ms after a time limit (${overruns.length} of them)`,
      `at most ${mebibytes(Math.max(0, ...kept))} MiB of memory kept`,
    ].join("; "),
  );
  return wrong + left > 0 ? 1 : 0;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
