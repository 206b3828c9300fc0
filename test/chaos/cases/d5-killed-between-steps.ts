import assert from "node:assert/strict";
import { chaos } from "../case.ts";
import { faultsOf } from "../kills/report.ts";
import { takeToll } from "../kills/toll.ts";

/** Every step of a trial that the journal holds, in their order; the fourth is one of a runner that goes on. */
const steps = [
  ...["run intent", "run created", "run started", "run taken-over", "run exited", "run collected"],
  ...["run container-gone", "evaluate intent", "evaluate created", "evaluate started", "score evaluated"],
  "run volumes-gone",
];

export default chaos({
  id: "D5",
  tries: "the runner is killed after each step of a trial",
  promise: "what was started is taken over, nothing finished is lost or made twice, no container is left",
  async play(tell) {
    const plan = (): readonly string[] => steps.map((step) => `after ${step}`);
    const toll = await takeToll({ kills: steps.length, iterations: 3, plan }, () => undefined);
    assert.deepEqual(faultsOf(toll), []);
    assert.equal(toll.struck.size, steps.length, `not every step was hit: ${[...toll.struck.keys()]}`);
    tell(
      `${toll.kills} kills, ${toll.finished} samples, ${toll.takenOver} revisions taken over, ${toll.startedAgain} started again`,
    );
  },
});
