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
  tries: "looks at processes of others and their environment, traces process 1 and writes to its memory",
  promise: "scored; it sees its own processes only, and no secret; process 1 is closed to it",
  async play(stage) {
    process.env.EXIT_ML_SECRET_TOKEN = canary;
    const task = await stage.task();
    const results = await Promise.all(["one", "two"].map((name) => stage.score(task, python(looking(name)))));
    for (const { verdict, evidence } of results) {
      stage.met.push(verdict);
      assert.equal(verdict, "scored", evidence.run?.stderr);
      const seen = evidence.run?.stdout.split("\n").filter((line) => /^(plain|SECRET)/.test(line)) ?? [];
      // Its own command; process 1 does not tell its environment.
      assert.ok(seen.length >= 1 && seen.length <= 3, seen.join("\n"));
      assert.doesNotMatch(seen.join("\n"), /SECRET/);
      for (const line of seen) assert.match(line, /python3 solution\/main\.py/);
    }
    await stage.trial({
      revision: python(`
attempt("attach", lambda: call("ptrace", 16, 1, 0, 0))
attempt("seize", lambda: call("ptrace", 0x4206, 1, 0, 0))
attempt("memory", lambda: open("/proc/1/mem", "r+b"))
attempt("readv", lambda: call("process_vm_readv", 1, None, 0, None, 0, 0))
for name in ("maps", "environ", "exe", "fd", "root", "cwd"):
    attempt(name, lambda: (os.listdir if name == "fd" else os.readlink if name in ("exe", "root", "cwd") else lambda path: open(path).read())("/proc/1/" + name))
for name in ("oom_score_adj", "autogroup", "clear_refs"):
    attempt(name, lambda: open("/proc/1/" + name, "w"))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    });
  },
});
