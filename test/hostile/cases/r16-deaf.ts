import assert from "node:assert/strict";
import { hostile, python, type Trial } from "../case.ts";

/** What is added to a time limit before the container ends itself, and what it may take to be gone then, in ms. */
const [innerSlack, promised] = [5_000, 3_000];

/** Attacks on what limits the time, by programs that then stay for ever. */
const attacks = {
  "stops everybody": `
for target in (-1, 1, os.getppid()): attempt("stop", lambda: os.kill(target, signal.SIGSTOP))`,
  "kills everybody": `
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    for target in (-1, 1, os.getppid()): attempt("kill", lambda: os.kill(target, number))`,
  "sends every signal without end": `
for _ in range(20):
    if os.fork() == 0:
        while True:
            for number in range(1, 65): os.kill(1, number)`,
  "traces it, writes to its memory": `
attempt("seize", lambda: call("ptrace", 0x4206, 1, 0, 0))
attempt("attach", lambda: call("ptrace", 16, 1, 0, 0))
attempt("memory", lambda: open("/proc/1/mem", "r+b").write(bytes(8)))`,
  "takes its limits and its priority": `
import resource
for limit in (resource.RLIMIT_SIGPENDING, resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_AS, resource.RLIMIT_STACK):
    attempt("limit", lambda: resource.prlimit(1, limit, (0, 0)))
for which, who in ((os.PRIO_PROCESS, 1), (os.PRIO_PGRP, 0), (os.PRIO_PGRP, os.getpgid(1)), (os.PRIO_USER, 0), (os.PRIO_USER, os.getuid())):
    attempt("nice", lambda: os.setpriority(which, who, 19))
attempt("idle", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
attempt("one processor", lambda: os.sched_setaffinity(1, {0}))
for _ in range(40):
    if os.fork() == 0:
        while True: pass`,
  // There may be no process left for those that come later.
  "leaves orphans faster than they can be reaped": `
def fork():
    while True:
        try: return os.fork()
        except OSError: pass
for _ in range(8):
    if fork() == 0:
        while True:
            try:
                if os.fork() == 0: os.fork(); os._exit(0)
                os.waitpid(-1, os.WNOHANG)
            except OSError: pass`,
};

const attackTrials: readonly Trial[] = Object.entries(attacks).map(([name, program]) => ({
  name,
  revision: python(`${program}\ntime.sleep(10**6)`),
  task: { run: { timeout: "1s" } },
  withoutKills: true,
  expects: "timeout",
  holds: ({ result: { evidence } }) => {
    assert.equal(evidence.run?.exitCode, 124);
    const late = evidence.run.ms - 1_000 - innerSlack;
    assert.ok(late < promised, `gone only ${late} ms after its inner limit`);
  },
}));

/** Ignores every signal that can be ignored, and attacks what would end it were the runner gone. */
export default hostile({
  id: "R16",
  tries: "ignores every signal; attacks the limit inside its container, while no kill from outside arrives",
  promise: "timeout; without the runner it is gone within 3 s of the inner limit",
  play: [
    {
      revision: python(`
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)`),
      task: { run: { timeout: "2s" } },
      expects: "timeout",
    },
    ...attackTrials,
  ],
});
