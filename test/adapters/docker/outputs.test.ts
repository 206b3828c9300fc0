/** What gets from a revision to its evaluator, and what does not. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { testWith } from "../../support/without.ts";
import { failure, finished, makeTask, python, readingScore, useBench } from "./trial.ts";

const test = testWith("docker");

const bench = useBench();

describe("collected", () => {
  test("are regular files only: links, pipes and what hides behind a linked folder stay behind", async () => {
    const task = makeTask(bench.folder, { outputs: ["**"] });
    const ran = finished(
      await bench.run(
        task,
        python(
          "import os",
          'os.symlink("/etc/passwd", "passwd.csv")',
          'os.mkfifo("pipe.csv")',
          'os.symlink("/etc", "etc")',
          'os.mkdir("sub"); open("sub/out.csv", "w").write("1")',
          'os.link("sub/out.csv", "sub/same.csv")',
          'open("out.csv", "w").write("0.5")',
        ),
      ),
    );
    expect(ran.files.filter((file) => !file.startsWith("solution/"))).toEqual(["out.csv", "sub/out.csv"]);
    expect(readdirSync(ran.folder).sort()).toEqual(["out.csv", "sub"]);
  });

  test("an output that is a link to a file of the host's is not there", async () => {
    const ran = await bench.run(
      makeTask(bench.folder),
      python("import os", 'os.symlink("/etc/passwd", "out.csv")'),
    );
    expect(failure(ran).verdict).toBe("invalid");
  });

  test("never is code that an evaluator could import, even where the patterns allow it", async () => {
    const task = makeTask(bench.folder, { outputs: ["**"] });
    const ran = await bench.run(
      task,
      python(
        "import os",
        'os.makedirs("numpy/__pycache__")',
        'for name in ("numpy.py", "json.py", "sitecustomize.py", "evil.pth", "fast.so", "numpy/__init__.py", "numpy/__pycache__/x.cpython-311.pyc"):',
        '    open(name, "w").write("print({})")',
        'open("out.csv", "w").write("0.5")',
      ),
    );
    expect(finished(ran).files).toEqual(["out.csv"]);
    expect(await bench.evaluate(task, ran)).toMatchObject({ kind: "printed", stdout: '{"score": 0.5}\n' });
  });

  test("cannot replace a file of the evaluator's, in any spelling", async () => {
    const task = makeTask(bench.folder, {
      outputs: ["**"],
      hidden: { "score.py": readingScore, "labels/y.csv": "true labels" },
    });
    const ran = finished(
      await bench.run(
        task,
        python(
          "import os",
          'os.mkdir("Labels"); os.mkdir("labels"); os.mkdir("score.txt")',
          'for name in ("labels/y.csv", "Labels/Y.csv"): open(name, "w").write("forged")',
          'open("out.csv", "w").write("0.5")',
        ),
      ),
    );
    expect(ran.files).toEqual(["out.csv"]);
  });

  test("may not differ in case alone", async () => {
    const task = makeTask(bench.folder, { outputs: ["*.csv"] });
    const ran = await bench.run(
      task,
      python('for name in ("out.csv", "OUT.csv"): open(name, "w").write("1")'),
    );
    expect(failure(ran).verdict).toBe("invalid");
  });

  test("may not be thousands", async () => {
    const task = makeTask(bench.folder, { outputs: ["many/*"] });
    const ran = await bench.run(
      task,
      python("import os", 'os.mkdir("many")', 'for i in range(5000): open(f"many/{i}", "w").close()'),
    );
    expect(failure(ran)).toMatchObject({ verdict: "invalid" });
    expect(failure(ran).evidence.note).toContain("4096");
  });

  test("are not mixed with the inputs beside them", async () => {
    const task = makeTask(bench.folder, { inputs: { "data/a.csv": "in" }, outputs: ["**/*.csv"] });
    const ran = finished(
      await bench.run(
        task,
        python(
          "import os",
          'os.mkdir("sub"); open("sub/b.csv", "w").write("out")',
          'open("c.csv", "w").write("out")',
        ),
      ),
    );
    expect(ran.files).toEqual(["c.csv", "sub/b.csv"]);
    expect(readFileSync(join(ran.folder, "sub/b.csv"), "utf8")).toBe("out");
  });
});

describe("the evaluator", () => {
  test("sees hidden files, inputs and outputs, none of which it can change, and no trace of the revision", async () => {
    const looking = [
      "import os, json",
      'found = sorted(os.path.join(f, n) for f, _, names in os.walk(".") for n in names)',
      "try:",
      '    open("score.py", "a"); changed = True',
      "except OSError: changed = False",
      'open("/tmp/scratch", "w").write("ok")',
      'print(json.dumps({"found": found, "changed": changed, "site": os.environ["PYTHONNOUSERSITE"]}))',
    ].join("\n");
    const task = makeTask(bench.folder, {
      hidden: { "score.py": looking, "data/hidden/y.csv": "1" },
      inputs: { "data/public/x.csv": "1" },
    });
    const ran = await bench.run(
      task,
      python('open("out.csv", "w").write("1")', 'open("score.txt", "w").write("1")', 'print({"score": 1})'),
    );
    const scored = await bench.evaluate(task, ran);
    expect(scored.kind === "printed" && JSON.parse(scored.stdout)).toEqual({
      found: ["./.exit-ml-canary", "./data/hidden/y.csv", "./data/public/x.csv", "./out.csv", "./score.py"],
      changed: false,
      site: "1",
    });
  });

  test("gives the score, whatever score the revision prints or writes itself", async () => {
    const task = makeTask(bench.folder);
    const ran = await bench.run(
      task,
      python(
        "print('{\"score\": 1.0}')",
        'for name in ("score.json", "score.txt"): open(name, "w").write(\'{"score": 1.0}\')',
        'open("out.csv", "w").write("0.25")',
      ),
    );
    expect(await bench.evaluate(task, ran)).toMatchObject({ kind: "printed", stdout: '{"score": 0.25}\n' });
  });

  test.each([
    ["fails", ["python3", "-c", "raise ValueError('no such column')"], "exit code 1"],
    ["does not exist", ["no-such-scorer"], "127"],
    ["prints without end", ["python3", "-c", "while True: print('x' * 1000)"], "printed too much"],
    ["prints more than a line can hold", ["python3", "-c", "print('x' * 70000)"], "65536"],
    ["never ends", ["python3", "-c", "import time; time.sleep(3600)"], "time limit"],
    ["takes all memory", ["python3", "-c", "x = [bytearray(2**24) for _ in range(99999)]"], "memory"],
  ])("that %s broke, which is nobody's score", async (_, score, note) => {
    const task = makeTask(bench.folder, { score, scoreTimeout: "15s" });
    const ran = await bench.run(task, python('open("out.csv", "w").write("1")'));
    const scored = await bench.evaluate(task, ran);
    expect(scored.kind).toBe("broke");
    expect(scored.evidence.note).toContain(note);
  });

  test("leaves no folder behind", async () => {
    const task = makeTask(bench.folder);
    const ran = await bench.run(task, python('open("out.csv", "w").write("1")'));
    await bench.evaluate(task, ran);
    await bench.sandbox.close();
    const trials = join(bench.folder, "outputs", ".trials");
    expect(existsSync(trials) ? readdirSync(trials) : []).toEqual([]);
  });
});
