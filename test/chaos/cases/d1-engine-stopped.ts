import assert from "node:assert/strict";
import { finished, python } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";
import { onOwnEngine } from "../engine/rig.ts";

/** Needs a moment, then leaves its output. */
const patient = python("import time", "time.sleep(3)", 'open("out.csv", "w").write("0.5")');
/** As careful training does: told to stop, it saves what it has and ends well. */
const obliging = python(
  "import signal, sys, time",
  "def save(*_):",
  '    open("out.csv", "w").write("0.1")',
  "    sys.exit(0)",
  "signal.signal(signal.SIGTERM, save)",
  "time.sleep(3)",
  'open("out.csv", "w").write("0.5")',
);

/** An update of the engine: it ends its containers in an orderly way, still answers for a while, and comes back. */
export default chaos({
  id: "D1",
  tries: "the engine is stopped in the middle of a run and started again",
  promise: "run again once, and scored; what it left when it was told to stop counts for nothing",
  play: (tell) =>
    onOwnEngine(async ({ engine, run, task, steps, attempts, output }) => {
      for (const [index, revision] of [patient, obliging].entries()) {
        const before = attempts();
        const running = run(task(), revision);
        await steps.reached(" started", before + 1);
        await engine.stop("SIGTERM");
        await engine.start();
        const ran = finished(await running);
        assert.equal(output(ran), "0.5");
        assert.equal(attempts() - before, 2);
        tell(`revision ${index + 1}: scored at the second attempt`);
      }
    }),
});
