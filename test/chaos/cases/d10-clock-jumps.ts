import assert from "node:assert/strict";
import { failure, finished, python } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";
import { onUsualEngine, type Rig } from "../engine/rig.ts";

const patient = python("import time", "time.sleep(2)", 'open("out.csv", "w").write("0.5")');
const forEver = python("import time", "time.sleep(3600)");
/** Its child takes the memory, and it ends well itself: only what the engine remembers of that time tells. */
const starved = python(
  "import subprocess, sys, time",
  "time.sleep(2)",
  'subprocess.run([sys.executable, "-c", "bytearray(2**30)"])',
  'open("out.csv", "w").write("0.5")',
);
const hour = 3_600_000;

/**
 * The wall clock as this process sees it is set, as by a time server or a user, while the engine's and the monotonic
 * one go on: the product runs in this process.
 */
export default chaos({
  id: "D10",
  tries: "the wall clock jumps by an hour in the middle of a run, forward and back",
  promise:
    "limits and durations are counted on a clock that does not jump; what the engine remembers is still found",
  play: (tell) =>
    onUsualEngine(async (rig) => {
      const { run, task } = rig;
      for (const jump of [hour, -hour]) {
        const { ms } = finished(await setMeanwhile(rig, jump, run(task(), patient))).evidence;
        assert.ok(ms >= 1_900 && ms < 60_000, `a run of two seconds took ${ms} ms`);
        const late = failure(await setMeanwhile(rig, jump, run(task({ timeout: "3s" }), forEver)));
        assert.equal(late.verdict, "timeout");
        assert.ok(
          late.evidence.ms >= 2_900 && late.evidence.ms < 60_000,
          `a limit of 3 s came at ${late.evidence.ms} ms`,
        );
        assert.equal(failure(await setMeanwhile(rig, jump, run(task(), starved))).verdict, "oom");
        tell(
          `${jump > 0 ? "+" : "-"}1 h: 2 s took ${ms} ms, a limit of 3 s came at ${late.evidence.ms} ms, oom seen`,
        );
      }
    }),
});

/** The clock is set once the revision has started, and right again when its outcome is known. */
async function setMeanwhile<T>({ steps }: Rig, by: number, running: Promise<T>): Promise<T> {
  const right = globalThis.Date;
  await steps.reached(" started", steps.taken.filter((step) => step.endsWith(" started")).length + 1);
  globalThis.Date = class extends right {
    constructor(...parts: [] | [string | number | Date]) {
      super(...((parts.length === 0 ? [right.now() + by] : parts) as [number]));
    }
    static override now(): number {
      return right.now() + by;
    }
  } as DateConstructor;
  try {
    return await running;
  } finally {
    globalThis.Date = right;
  }
}
