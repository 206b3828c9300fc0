/**
 * `npm run test:chaos`: faults around the sandbox, one after the other, each injected into the real thing.
 * A line for each and a total; exit code 1 if a promise was broken. Names of cases as arguments play only those.
 * `--kills N` instead kills N runners, spread over every durable write of a run, and says what became of the runs.
 */
import { performance } from "node:perf_hooks";
import { messageOf } from "../../src/core/errors.ts";
import type { ChaosCase } from "./case.ts";
import { reportToll } from "./kills/report.ts";
import { everyMoment, takeToll } from "./kills/toll.ts";
import { loadChaosCases } from "./load.ts";

const names = process.argv.slice(2);
const kills = names.indexOf("--kills");
process.exitCode = kills === -1 ? await playCases() : await killRunners(Number(names[kills + 1]));

async function killRunners(count: number): Promise<number> {
  if (!Number.isInteger(count) || count < 1) throw new Error("--kills needs a number of at least 1");
  return reportToll(await takeToll({ kills: count, iterations: 6, plan: everyMoment }, console.log));
}

async function playCases(): Promise<number> {
  const cases = await loadChaosCases();
  const unknown = names.filter((name) => cases.every(({ id }) => id !== name));
  if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: not among the cases played here`);
  const chosen = names.length === 0 ? cases : cases.filter(({ id }) => names.includes(id));
  const began = performance.now();
  let broken = 0;
  for (const each of chosen) if (!(await play(each))) broken += 1;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${chosen.length} cases: ${broken} promises broken; ${seconds} s`);
  return broken > 0 ? 1 : 0;
}

async function play({ id, tries, play }: ChaosCase): Promise<boolean> {
  const began = performance.now();
  const notes: string[] = [];
  const fault = await play((note) => notes.push(note)).then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  const ms = (performance.now() - began).toFixed(0);
  console.log(
    `${id.padEnd(4)} ${tries.slice(0, 68).padEnd(68)} ${ms.padStart(6)} ms  ${fault === null ? "ok" : "BROKEN"}`,
  );
  for (const note of notes) console.log(`     ${note}`);
  if (fault !== null) console.log(`     ! ${fault.replaceAll("\n", "\n       ")}`);
  return fault === null;
}
