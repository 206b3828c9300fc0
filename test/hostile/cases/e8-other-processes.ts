import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";
import { canary } from "../stage.ts";

const looking = (name: string): string => `
"""${name}"""
leave(0.5, "/tmp/mark-${name}")
found = set()
for _ in range(15):
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            words = open(folder + "/cmdline", "rb").read().replace(b"\\0", b" ").decode()
            secrets = open(folder + "/environ", "rb").read()
            found.add((words, b"TOKEN" in secrets or b"SECRET" in secrets))
        except OSError: pass
    time.sleep(0.1)
for words, secret in sorted(found): tell("SECRET" if secret else "plain", words)
leave(0.5)`;

/** Looks at every process it can see while another revision runs beside it. */
export default hostile({
  id: "E8",
  tries: "looks at processes of others and their environment, stops its own init",
  promise: "scored; it sees its own processes only, and no secret; timeout where it stops itself",
  async play(stage) {
    process.env.EXIT_ML_SECRET_TOKEN = canary;
    const task = await stage.task();
    const results = await Promise.all(["one", "two"].map((name) => stage.score(task, python(looking(name)))));
    for (const { verdict, evidence } of results) {
      stage.met.push(verdict);
      assert.equal(verdict, "scored", evidence.run?.stderr);
      const seen = evidence.run?.stdout.split("\n").filter((line) => /^(plain|SECRET)/.test(line)) ?? [];
      // Its own command, the time limit around it and the init process.
      assert.ok(seen.length >= 2 && seen.length <= 4, seen.join("\n"));
      assert.doesNotMatch(seen.join("\n"), /SECRET/);
      for (const line of seen) assert.match(line, /python3 solution\/main\.py/);
    }
    // It may stop its own init process, and then only harms itself.
    await stage.trial({
      revision: python('call("ptrace", 16, 1, 0, 0)'),
      task: { run: { timeout: "3s" } },
      expects: "timeout",
    });
  },
});
