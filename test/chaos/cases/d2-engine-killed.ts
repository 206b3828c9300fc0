import assert from "node:assert/strict";
import { finished, python } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";
import { openNight } from "../engine/night.ts";
import { type OwnRig, onOwnEngine } from "../engine/rig.ts";

const patient = python("import time", "time.sleep(3)", 'open("out.csv", "w").write("0.5")');
const forEver = python("import time", "time.sleep(3600)");
/** Milliseconds within which an engine that does not answer must have been reported. */
const reportedWithin = 15_000;

/** Its process dies, its containers live on, and some calls of its clients stay pending for ever. */
export default chaos({
  id: "D2",
  tries: "the engine is killed or freezes in the middle of a run",
  promise:
    "back in time: run again once, and scored; else docker-unreachable within 15 s, and scored once it is back",
  play: (tell) =>
    onOwnEngine(async (rig) => {
      await killedAndBack(rig);
      const killed = await unreachable(rig, () => rig.engine.stop("SIGKILL"));
      await rig.engine.start();
      await proveItScores(rig);
      const frozen = await unreachable(rig, async () => rig.engine.freeze());
      rig.engine.thaw();
      await proveItScores(rig);
      tell(await wholeRun(rig));
      tell(`reported ${killed} ms after a kill and ${frozen} ms after it froze`);
    }),
});

async function killedAndBack({ engine, run, task, steps, attempts }: OwnRig): Promise<void> {
  const running = run(task(), patient);
  await steps.reached(" started");
  await engine.stop("SIGKILL");
  await engine.start();
  assert.deepEqual(finished(await running).files, ["out.csv"]);
  assert.equal(attempts(), 2);
}

/** @returns how many milliseconds after `spoil` it was reported. */
async function unreachable(
  { run, task, steps, attempts }: OwnRig,
  spoil: () => Promise<void>,
): Promise<number> {
  const before = attempts();
  const running = run(task(), forEver);
  await steps.reached(" started", before + 1);
  const began = performance.now();
  await Promise.all([
    spoil(),
    assert.rejects(running, { reason: "docker-unreachable", message: /engine\.sock|proxy\.sock/ }),
  ]);
  const ms = Math.round(performance.now() - began);
  assert.equal(attempts() - before, 1, "nothing is tried again while no engine answers");
  assert.ok(ms <= reportedWithin, `reported only after ${ms} ms`);
  return ms;
}

/** The engine dies in the middle of a run and stays away for longer than anybody restarts it. */
async function wholeRun(rig: OwnRig): Promise<string> {
  const night = await openNight(rig);
  const warnings: string[] = [];
  let outage: Promise<void> | null = null;
  const away = async (): Promise<void> => {
    await rig.engine.stop("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    await rig.engine.start();
  };
  try {
    const ended = await night.run((event) => {
      if (event.type === "replyScored") outage ??= away();
      if (event.type === "message" && event.level === "warn") warnings.push(event.text);
    });
    await outage;
    assert.equal(ended.reason, "iterations", ended.error?.message);
    assert.match(warnings[0] ?? "", /no longer answers .* nothing was lost.* waits/);
    const verdicts = night.verdicts();
    assert.equal(verdicts.length, night.whole);
    assert.ok(
      verdicts.every((verdict) => verdict === "scored"),
      verdicts.join(),
    );
    return `a run whose engine was away for 20 s: ${verdicts.length} of ${night.whole} scored, ${warnings.length} warning`;
  } finally {
    night.close();
  }
}

async function proveItScores({ run, task }: OwnRig): Promise<void> {
  assert.deepEqual(finished(await run(task(), patient)).files, ["out.csv"]);
}
