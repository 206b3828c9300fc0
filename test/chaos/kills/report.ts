/** What a toll says, for people; and the exit code. */
import type { Toll } from "./toll.ts";

export function reportToll(toll: Toll): number {
  for (const [moment, count] of toll.struck)
    console.log(`${moment.padEnd(26)} ${String(count).padStart(4)} kills`);
  console.log(
    [
      `${toll.kills} kills in ${toll.runs} runs of ${toll.iterations} iterations, ${toll.finished} finished samples`,
      `${toll.lost.length} lost, ${toll.doubled.length} doubled`,
      `${toll.leftBehind.length} left behind`,
      `${toll.differing.length} runs differ from the undisturbed ones`,
      `${toll.takenOver} revisions taken over, ${toll.startedAgain} started again`,
      `${(toll.ms / 1000).toFixed(0)} s, ${(toll.ms / 1000 / toll.kills).toFixed(1)} s a kill`,
    ].join("; "),
  );
  for (const moment of toll.missed) console.log(`  no run came to: ${moment}`);
  const faults = faultsOf(toll);
  for (const fault of faults) console.log(`  ! ${fault.replaceAll("\n", "\n    ")}`);
  return faults.length > 0 ? 1 : 0;
}

export function faultsOf({ lost, doubled, leftBehind, differing }: Toll): readonly string[] {
  return [
    ...lost.map((what) => `lost: ${what}`),
    ...doubled.map((what) => `doubled: ${what}`),
    ...leftBehind.map((what) => `left behind: ${what}`),
    ...differing.map((what) => `differs: ${what}`),
  ];
}
