import assert from "node:assert/strict";
import { chaos } from "../case.ts";
import { faultsOf } from "../kills/report.ts";
import { takeToll } from "../kills/toll.ts";

/** The records of a run. Some are several rows in one transaction: before it is committed they are half written. */
const writes = [
  ...["run opened", "group opened", "reply stored", "score stored", "outcome stored", "group closed"],
  "run ended",
];

export default chaos({
  id: "D6",
  tries: "the runner is killed while it writes its history",
  promise: "whole records only, no finished step lost, and the same next decision",
  async play(tell) {
    const plan = (): readonly string[] => writes.flatMap((write) => [`before ${write}`, `after ${write}`]);
    const kills = 2 * writes.length;
    const toll = await takeToll({ kills, iterations: 3, plan }, () => undefined);
    assert.deepEqual(faultsOf(toll), []);
    assert.equal(toll.struck.size, kills, `not every write was hit: ${[...toll.struck.keys()]}`);
    tell(`${toll.kills} kills in ${toll.runs} runs, ${toll.finished} samples`);
  },
});
