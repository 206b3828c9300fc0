import assert from "node:assert/strict";
import { failure, finished, python } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";
import { type Fault, sound } from "../engine/proxy.ts";
import { onUsualEngine, type Rig } from "../engine/rig.ts";

const honest = python('open("out.csv", "w").write("0.5")', 'print("x" * 5000)', "raise SystemExit(0)");
/** Only the events tell this from a kill by somebody else. */
const killsItself = python("import os; os.kill(os.getpid(), 9)");

/** Every kind of call, as the end of `METHOD path`. */
const calls = ["/create", "/start", "/attach", "/wait", "/json", "PUT archive", "GET archive", "/events"];
/** Those whose answer is long enough to be cut beyond its head. */
const long = new Set(["/attach", "/json", "GET archive"]);
const faults: readonly Fault[] = [
  { kind: "late", ms: 700 },
  { kind: "stall", after: 60 },
  { kind: "break", after: 60 },
  // Beyond the head of the answer, inside of what it carries.
  { kind: "end", after: 1_000 },
];

/** The first call of that kind meets the fault, as on a link that fails once. */
function once({ proxy }: Rig, call: string, fault: Fault): void {
  let met = false;
  proxy.spoil((method, path) => {
    if (met || !`${method} ${path}`.replace(/ .*\/archive$/, " archive").endsWith(call)) return sound;
    met = true;
    return fault;
  });
}

export default chaos({
  id: "D17",
  tries: "the event stream breaks off; answers to any call come late, in part, or never",
  promise: "scored as without the fault: one lost answer costs a second attempt at most",
  play: (tell) =>
    onUsualEngine(async (rig) => {
      const { proxy, run, task, output, attempts } = rig;
      finished(await run(task(), honest));
      const faultsOf = (call: string): readonly Fault[] =>
        faults.filter(({ kind }) => kind !== "end" || long.has(call));
      let slowest = 0;
      let again = 0;
      for (const call of calls)
        for (const fault of faultsOf(call)) {
          once(rig, call, fault);
          const what = `${call} ${JSON.stringify(fault)}`;
          const [before, began] = [attempts(), performance.now()];
          const ran = finished(await run(task(), honest));
          assert.equal(output(ran), "0.5", what);
          assert.ok(ran.evidence.stdout === `${"x".repeat(5_000)}\n`, `${what}: what it printed was lost`);
          slowest = Math.max(slowest, performance.now() - began);
          again += attempts() - before - 1;
        }
      once(rig, "/events", { kind: "break", after: 0 });
      assert.equal(failure(await run(task(), killsItself)).verdict, "crash");
      assert.ok(proxy.spoiled.length > calls.length * 3, "every call met its faults");
      tell(
        `${proxy.spoiled.length} answers spoiled: ${again} second attempts, the slowest took ${Math.round(slowest)} ms`,
      );
    }),
});
