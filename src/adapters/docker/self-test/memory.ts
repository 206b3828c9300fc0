/** Takes three times the memory there is and sees what comes of it. */
import type { Guarantee } from "../../../core/guarantees.ts";
import { isOutOfMemory } from "../verdict.ts";
import { limits, type Probing, runToEnd, withContainer } from "./probe-container.ts";

const asked = 3 * limits.memory;
const tried = `${asked} bytes under a limit of ${limits.memory}`;
/**
 * The first line tells "there is no dd" from "dd was killed". The pause: engines begin to watch a container's memory
 * a moment after its start, and this is not to find out how long a moment is.
 */
const script = `
command -v dd > /dev/null || exit 0
echo tried
sleep 1
dd if=/dev/zero of=/dev/null bs=${asked} count=1 && echo survived
`;

type Found = readonly [limit: Omit<Guarantee, "guarantee">, reported: Omit<Guarantee, "guarantee">];

export async function memory(probing: Probing): Promise<Guarantee[]> {
  const first = await attempt(probing);
  // A report that was lost once may come the next time; one that is never made does not.
  const [limit, reported] = first[1].held === false ? await attempt(probing) : first;
  return [
    { guarantee: "memory-limit", ...limit },
    { guarantee: "oom-reported", ...reported },
  ];
}

async function attempt(probing: Probing): Promise<Found> {
  const { ending, state, printed } = await withContainer(
    probing,
    { command: ["sh", "-c", script] },
    (container) => runToEnd(probing, container),
  );
  const unreported = { held: null, measured: "nothing ran out of memory" };
  if (!printed.includes("tried")) return [{ held: null, measured: "the image lacks dd" }, unreported];
  if (printed.includes("survived")) return [{ held: false, measured: `a process took ${tried}` }, unreported];
  if (ending.cause !== null)
    return [{ held: null, measured: `a process that asked for ${tried} came to no end` }, unreported];
  const limit = { held: true, measured: `a process that asked for ${tried} was ended` };
  return isOutOfMemory(ending)
    ? [limit, { held: true, measured: "the engine reported that memory ran out" }]
    : [limit, { held: false, measured: `the engine reported only exit code ${state.ExitCode}, twice` }];
}
