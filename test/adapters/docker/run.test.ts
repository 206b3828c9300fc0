/** What becomes of a revision in the real engine: verdicts, limits and what it can reach. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { testWith } from "../../support/without.ts";
import { docker, failure, files, finished, makeTask, never, python, requestFor, useBench } from "./trial.ts";

const test = testWith("docker");

const bench = useBench();
const writesOutput = 'open("out.csv", "w").write("0.5")';

describe("a revision that does its job", () => {
  test("leaves its outputs, which the evaluator scores", async () => {
    const task = makeTask(bench.folder, { inputs: { "data/public/train.csv": "0.75" } });
    const ran = await bench.run(
      task,
      python('open("out.csv", "w").write(open("data/public/train.csv").read())', 'print("done")'),
    );
    expect(finished(ran)).toMatchObject({ files: ["out.csv"], evidence: { exitCode: 0, stdout: "done\n" } });
    const scored = await bench.evaluate(task, ran);
    expect(scored).toMatchObject({ kind: "printed", stdout: '{"score": 0.75}\n' });
  });

  test("sees its seed, its split and nothing of the engine's surroundings", async () => {
    const show = 'import os, json; print(json.dumps(dict(os.environ))); open("out.csv", "w").write("1")';
    const { evidence } = finished(await bench.run(makeTask(bench.folder), python(show)));
    const env: unknown = JSON.parse(evidence.stdout);
    expect(env).toMatchObject({ EXIT_SEED: "7", EXIT_SPLIT: "search", HOME: "/tmp", OMP_NUM_THREADS: "1" });
  });

  test("finds its files in place and may change them and write beside its read-only inputs", async () => {
    const task = makeTask(bench.folder, { inputs: { "data/in.csv": "1" }, outputs: ["data/out/*.csv"] });
    const solution = files({
      "solution/main.py": [
        "import os",
        'open("solution/note.txt", "a").write("!")',
        'assert open("solution/note.txt").read() == "kept!"',
        'os.makedirs("data/out"); open("data/out/a.csv", "w").write("2")',
        'try: open("data/in.csv", "w"); raise SystemExit("inputs are writable")',
        "except OSError: pass",
      ].join("\n"),
      "solution/note.txt": "kept",
    });
    const ran = finished(await bench.run(task, solution));
    expect(ran.files).toEqual(["data/out/a.csv"]);
    expect(readFileSync(join(ran.folder, "data/out/a.csv"), "utf8")).toBe("2");
  });

  test("may run beside others without seeing them", async () => {
    const task = makeTask(bench.folder);
    const echo = (value: number) =>
      python(
        "import os, time",
        'assert sorted(os.listdir(".")) == ["solution"]',
        `open("out.csv", "w").write("${value}")`,
      );
    const values = [1, 2, 3];
    const ran = await Promise.all(values.map((value) => bench.run(task, echo(value))));
    const scored = await Promise.all(ran.map((outcome) => bench.evaluate(task, outcome)));
    expect(scored.map((outcome) => outcome.kind === "printed" && outcome.stdout)).toEqual(
      values.map((value) => `{"score": ${value}.0}\n`),
    );
  });

  test("writes every step into the journal in its order", async () => {
    const task = makeTask(bench.folder);
    const request = requestFor(task, python(writesOutput), "trial-1");
    const ran = await bench.sandbox.run(request, never);
    if (ran.kind === "finished") await bench.sandbox.evaluate(request, ran.outputs, never);
    await bench.sandbox.close();
    const steps = bench.steps.map((step) => step.replace("trial-1 ", ""));
    expect(steps.filter((step) => step !== "container-gone" && step !== "collected")).toEqual([
      "intent",
      "created",
      "started",
      "exited",
      "intent",
      "created",
      "started",
      "evaluated",
      "volumes-gone",
    ]);
    expect(steps.slice(4, 6).sort()).toEqual(["collected", "container-gone"]);
  });

  test("takes more disk than memory holds from a volume on disk, with a soft limit that is said", async () => {
    const task = makeTask(bench.folder, { sandbox: { disk: "1100m", memory: "256m" } });
    const ran = await bench.run(task, python(writesOutput));
    expect(finished(ran).files).toEqual(["out.csv"]);
    const info = await bench.sandbox.describe(task);
    expect(info.warnings.join(" ")).toContain("soft limit");
  });
});

describe("a revision that fails", () => {
  test("leaves its traceback as evidence of the crash", async () => {
    const ran = failure(await bench.run(makeTask(bench.folder), python("raise ValueError('odd shape')")));
    expect(ran).toMatchObject({ verdict: "crash", evidence: { exitCode: 1, killedFor: null } });
    expect(ran.evidence.stderr).toContain("ValueError: odd shape");
  });

  test("whose command does not exist has crashed; the engine has not", async () => {
    const task = makeTask(bench.folder, { command: ["no-such-binary"] });
    expect(failure(await bench.run(task, python("")))).toMatchObject({
      verdict: "crash",
      evidence: { exitCode: 127 },
    });
  });

  test("that ends well but leaves nothing is invalid, and the note names what was expected", async () => {
    const task = makeTask(bench.folder, { outputs: ["out.csv", "more/*.json"] });
    const ran = failure(await bench.run(task, python('print("bye")')));
    expect(ran).toMatchObject({ verdict: "invalid", evidence: { exitCode: 0 } });
    expect(ran.evidence.note).toContain("out.csv, more/*.json");
  });

  test("that breaks off with exit code 0 cannot bring its output through a crash either", async () => {
    const ran = await bench.run(makeTask(bench.folder), python(writesOutput, "raise SystemExit(3)"));
    expect(failure(ran)).toMatchObject({ verdict: "crash", evidence: { exitCode: 3 } });
  });
});

describe("a revision that takes too much", () => {
  test("time: it is killed at its limit and its container is gone", async () => {
    const task = makeTask(bench.folder, { timeout: "5s" });
    const ran = failure(
      await bench.run(task, python("import time", 'print("waiting", flush=True)', "time.sleep(3600)")),
    );
    expect(ran).toMatchObject({ verdict: "timeout", evidence: { killedFor: "deadline" } });
    expect(ran.evidence.stdout).toBe("waiting\n");
    const filters = { label: [`exit-ml.workspace=${bench.workspaceId}`] };
    const left = await docker.listContainers({ all: true, filters });
    expect(left.flatMap((container) => container.Names).filter((name) => name.endsWith("-run"))).toEqual([]);
  });

  test("time, deaf to signals", async () => {
    const task = makeTask(bench.folder, { timeout: "2s" });
    const deaf = python(
      "import signal, time",
      "for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(name, signal.SIG_IGN)",
      "while True: time.sleep(1)",
    );
    expect(failure(await bench.run(task, deaf)).verdict).toBe("timeout");
  });

  test("time, in children that outlive it: they die with it", async () => {
    const daemon = python(
      "import os, time",
      writesOutput,
      "if os.fork() == 0:",
      "    os.setsid()",
      "    while True:",
      '        open("out.csv", "w").write("1.0")',
      "        time.sleep(0.01)",
    );
    const task = makeTask(bench.folder);
    const ran = await bench.run(task, daemon);
    expect(finished(ran).files).toEqual(["out.csv"]);
  });

  test("processes: a fork bomb is stopped at the limit", async () => {
    const task = makeTask(bench.folder, { timeout: "5s", sandbox: { pids: 32 } });
    const bomb = python(
      "import os, sys, time",
      "children = 0",
      "try:",
      "    while True:",
      "        if os.fork() == 0: time.sleep(60); os._exit(0)",
      "        children += 1",
      'except OSError: sys.exit(f"stopped after {children}")',
    );
    const ran = failure(await bench.run(task, bomb));
    expect(ran.verdict).toBe("crash");
    expect(Number(/stopped after (\d+)/.exec(ran.evidence.stderr)?.[1])).toBeLessThan(32);
  });

  test("output: it is killed, and only a bounded part is kept", async () => {
    const ran = failure(
      await bench.run(makeTask(bench.folder), python('print("first line")', 'while True: print("x" * 1000)')),
    );
    expect(ran).toMatchObject({ verdict: "output_limit", evidence: { killedFor: "output" } });
    expect(ran.evidence.stdout.startsWith("first line\n")).toBe(true);
    expect(ran.evidence.stdout).toContain("bytes left out");
    expect(ran.evidence.stdout.length).toBeLessThan(70_000);
  });

  test("output, in one endless line of single bytes", async () => {
    const ran = failure(
      await bench.run(
        makeTask(bench.folder),
        python("import os", "while True: os.write(1, b'y' * 65536) and os.write(2, b'z')"),
      ),
    );
    expect(ran.verdict).toBe("output_limit");
  });

  test("memory: it is out of memory, not crashed", async () => {
    const ran = failure(
      await bench.run(
        makeTask(bench.folder),
        python("held = []", "while True: held.append(bytearray(2**24))"),
      ),
    );
    expect(ran).toMatchObject({ verdict: "oom", evidence: { oomKilled: true, killedFor: null } });
  });

  test("memory, in a child whose death it hides behind exit code 0", async () => {
    const hiding = python(
      "import os",
      writesOutput,
      "if os.fork() == 0:",
      "    held = []",
      "    while True: held.append(bytearray(2**24))",
      "os.wait()",
    );
    expect(failure(await bench.run(makeTask(bench.folder), hiding))).toMatchObject({
      verdict: "oom",
      evidence: { exitCode: 0 },
    });
  });

  test("disk: the working directory is full", async () => {
    const ran = await bench.run(
      makeTask(bench.folder),
      python('for i in range(64): open(f"part{i}", "wb").write(bytes(2**20))'),
    );
    expect(failure(ran)).toMatchObject({ verdict: "disk_limit", evidence: { exitCode: 1 } });
  });

  test("disk, with a sparse file that costs nothing to write and much to read", async () => {
    const ran = await bench.run(
      makeTask(bench.folder),
      python(
        "import os",
        'for i in range(4): os.truncate(os.open(f"out{i}.csv", os.O_CREAT | os.O_WRONLY), 30 * 2**20)',
      ),
    );
    expect(failure(ran).verdict).toBe("invalid");
    const task = makeTask(bench.folder, { outputs: ["out*.csv"] });
    const wanted = await bench.run(
      task,
      python(
        "import os",
        'for i in range(4): os.truncate(os.open(f"out{i}.csv", os.O_CREAT | os.O_WRONLY), 30 * 2**20)',
      ),
    );
    expect(failure(wanted)).toMatchObject({ verdict: "invalid" });
    expect(failure(wanted).evidence.note).toContain("larger than");
  });

  test("disk, on a volume without a limit of its own: the guard has it killed", async () => {
    const task = makeTask(bench.folder, { sandbox: { disk: "1025m", memory: "256m" }, timeout: "90s" });
    const filling = python(
      "import os, time",
      "for i in range(6):",
      '    os.posix_fallocate(os.open(f"part{i}", os.O_CREAT | os.O_WRONLY), 0, 200 * 2**20)',
      "time.sleep(3600)",
    );
    expect(failure(await bench.run(task, filling))).toMatchObject({
      verdict: "disk_limit",
      evidence: { killedFor: "disk" },
    });
  });
});

describe("a revision that reaches out", () => {
  test("finds no network and no engine", async () => {
    const probing = python(
      "import os, socket",
      'try: socket.create_connection(("1.1.1.1", 53), 2); print("connected")',
      'except OSError as error: print("refused:", error)',
      'print(sorted(os.listdir("/sys/class/net")), os.path.exists("/var/run/docker.sock"))',
      writesOutput,
    );
    const { stdout } = finished(await bench.run(makeTask(bench.folder), probing)).evidence;
    expect(stdout).toContain("refused:");
    expect(stdout).toContain("['lo'] False");
  });

  test("has no privileges to use", async () => {
    const probing = python(
      'status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)',
      'print(status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Uid"].split()[0], status["Seccomp"])',
      'for place in ("/etc/x", "/usr/x", "/x"):',
      '    try: open(place, "w"); print("wrote", place)',
      "    except OSError: pass",
      writesOutput,
    );
    const { stdout } = finished(await bench.run(makeTask(bench.folder), probing)).evidence;
    expect(stdout).toBe("0000000000000000 0000000000000000 1 65534 2\n");
  });

  test("does not find the hidden files anywhere", async () => {
    const hidden = {
      "score.py": readFileSync(new URL(import.meta.url)).toString(),
      "labels/secret-y.csv": "1",
    };
    const searching = python(
      "import os",
      'for folder, _, names in os.walk("/"):',
      '    if folder.startswith(("/proc", "/sys")): continue',
      '    for name in names: name in ("secret-y.csv", "score.py") and print("found", folder, name)',
      'print("secret" in open("/proc/self/mountinfo").read())',
      writesOutput,
    );
    const { stdout } = finished(await bench.run(makeTask(bench.folder, { hidden }), searching)).evidence;
    expect(stdout).toBe("False\n");
  });
});

describe("printed bytes", () => {
  test("that are not text or steer a terminal become harmless", async () => {
    const printing = python(
      "import os",
      'os.write(1, b"\\xff\\xfe caf\\xc3\\xa9 \\x1b[31mred\\x1b[0m \\x1b]0;title\\x07bell\\x07\\x00\\r\\nnext")',
      writesOutput,
    );
    const { stdout } = finished(await bench.run(makeTask(bench.folder), printing)).evidence;
    expect(stdout).toBe("\ufffd\ufffd café red bell\nnext");
  });
});
