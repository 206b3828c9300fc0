import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { failure, finished, python } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";
import { fill } from "../engine/disk-world.ts";
import { mountImage } from "../engine/file-system.ts";
import { openNight } from "../engine/night.ts";
import { onOwnEngine } from "../engine/rig.ts";

const mebibyte = 2 ** 20;
const honest = python('open("out.csv", "w").write("0.5")');

/** The engine's data lie on a small disk of their own, which something else fills. */
export default chaos({
  id: "D9",
  tries: "the engine's disk fills up before a run and in the middle of one",
  promise: "infra, never the revision's fault; a run pauses with disk-low and goes on once there is space",
  play: (tell) =>
    onOwnEngine(
      async (rig) => {
        const { engine, run, task } = rig;
        const filler = join(engine.dataFolder, "filler");
        finished(await run(task(), honest));
        fill(engine.dataFolder, 0);
        const full = failure(await run(task(), honest));
        assert.equal(full.verdict, "infra", full.evidence.note);
        assert.match(full.evidence.note, /no space left/i);
        rmSync(filler);
        finished(await run(task(), honest));
        tell(`a revision met the full disk as ${full.verdict}: ${full.evidence.note.slice(0, 120)}`);

        const night = await openNight(rig);
        try {
          let isFull = false;
          const paused = await night.run((event) => {
            if (event.type !== "groupClosed" || isFull) return;
            isFull = true;
            fill(engine.dataFolder, 100 * mebibyte);
          });
          assert.deepEqual(
            [paused.reason, paused.error?.reason],
            ["error", "disk-low"],
            paused.error?.message,
          );
          assert.match(paused.error?.message ?? "", /container engine/);
          rmSync(filler);
          const ended = await night.run();
          assert.equal(ended.reason, "iterations", ended.error?.message);
          assert.equal(night.verdicts().length, night.whole);
          assert.ok(
            night.verdicts().every((verdict) => verdict === "scored"),
            night.verdicts().join(),
          );
          tell(`a run paused with disk-low and went on: ${night.whole} of ${night.whole} scored`);
        } finally {
          night.close();
        }
      },
      (dataFolder) => mountImage(`${dataFolder}.img`, dataFolder, 2_000 * mebibyte),
    ),
});
