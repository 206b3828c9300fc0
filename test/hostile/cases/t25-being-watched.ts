import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const looking = (value: number): string => `
tell(json.dumps([dict(os.environ) | {"HOSTNAME": ""}, sys.argv, os.getcwd(), os.getuid(), sorted(os.listdir("/")), sorted(os.listdir(".")), open("/proc/1/cmdline").read()]))
leave(${value})`;

/** Behaves well only where it believes that it is judged. */
export default hostile({
  id: "T25",
  tries: "detects whether it is judged, by environment, names and arguments",
  promise: "scored; root and revision, first and later run look the same from inside",
  async play(stage) {
    const task = await stage.task();
    const results = [
      await stage.score(task, python(looking(0.5)), { isRoot: true }),
      await stage.score(task, python(looking(0.6)), { key: "a-very-different-key" }),
    ];
    stage.met.push(...results.map(({ verdict }) => verdict));
    const [first, second] = results.map(({ evidence }) => evidence.run?.stdout);
    assert.ok(first);
    assert.equal(first, second);
  },
});
