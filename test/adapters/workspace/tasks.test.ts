import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createWorkspace } from "../../../src/adapters/workspace/workspace.ts";
import { isSelfLoading } from "../../../src/core/self-loading.ts";
import { digits, digitsWorkspace, put, temporaryFolder } from "./folders.ts";

describe("finding task files", () => {
  it("looks everywhere but in folders that are not the user's own work, and never through links", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const other = JSON.stringify({ ...digits, name: "other" });
    const stray = JSON.stringify({ ...digits, name: "stray" });
    await put(folder, {
      "tasks/deep/.hidden/exit.task.json": other,
      "node_modules/a/exit.task.json": stray,
      ".git/exit.task.json": stray,
      ".exit/exit.task.json": stray,
      "env/.venv/exit.task.json": stray,
    });
    const elsewhere = await temporaryFolder();
    await put(elsewhere, { "exit.task.json": stray });
    await symlink(elsewhere, join(folder, "link"));
    expect(await workspace.tasks()).toEqual({
      tasks: [
        { name: "digits", file: "exit.task.json" },
        { name: "other", file: "tasks/deep/.hidden/exit.task.json" },
      ],
      problems: [],
    });
  });

  it("refuses a task file that is a link", async () => {
    const { folder, workspace } = await digitsWorkspace();
    await put(folder, { "b/real.json": "{}" });
    await symlink(join(folder, "b/real.json"), join(folder, "b/exit.task.json"));
    expect((await workspace.tasks()).problems).toEqual([
      "b/exit.task.json: is a link or not a regular file; put the task file itself there.",
    ]);
  });

  it("lists good tasks beside the problems of bad ones", async () => {
    const { folder, workspace } = await digitsWorkspace();
    await put(folder, { "bad/exit.task.json": '{ "name": "bad",\n "wrong": 1 }' });
    const { tasks, problems } = await workspace.tasks();
    expect(tasks.map(({ name }) => name)).toEqual(["digits"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^bad\/exit\.task\.json:1:1: the task file lacks "instruction"/);
    expect(problems[0]).toContain('bad/exit.task.json:2:2: unknown key "wrong"');
  });

  it("refuses a name used twice and names both files", async () => {
    const { folder, workspace } = await digitsWorkspace();
    await put(folder, { "copy/exit.task.json": JSON.stringify(digits) });
    const sentence =
      'The task name "digits" is used by copy/exit.task.json and exit.task.json; give each task a name of its own.';
    expect(await workspace.tasks()).toEqual({ tasks: [], problems: [sentence] });
    await expect(workspace.resolve("digits")).rejects.toMatchObject({
      reason: "task-invalid",
      message: sentence,
    });
  });

  it("knows a mistyped name, and shows what kept a task from being read", async () => {
    const { folder, workspace } = await digitsWorkspace();
    await expect(workspace.resolve("digit")).rejects.toMatchObject({
      reason: "task-unknown",
      message: 'No task is called "digit"; did you mean "digits"? There are: digits.',
    });
    await put(folder, { "bad/exit.task.json": '{ "name": "bad" }' });
    await expect(workspace.resolve("bad")).rejects.toMatchObject({
      reason: "task-invalid",
      message: expect.stringContaining('bad/exit.task.json:1:1: the task file lacks "instruction"'),
    });
  });

  it("says so where there is no task or no folder", async () => {
    const folder = await temporaryFolder();
    const empty = createWorkspace({ folder, stagingFolder: join(folder, ".exit") });
    await expect(empty.resolve("x")).rejects.toThrow(`${folder} holds no valid exit.task.json`);
    const gone = createWorkspace({ folder: join(folder, "gone"), stagingFolder: folder });
    await expect(gone.tasks()).rejects.toMatchObject({ reason: "folder-missing" });
  });
});

describe("resolving a task", () => {
  it("gives inputs, hidden, context cut to its head, and the schema", async () => {
    const { workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    expect(task).toMatchObject({ id: "digits", file: "exit.task.json", schema: null });
    expect(task.inputs.files).toEqual(["data/public/test.csv", "data/public/train.csv"]);
    expect(task.hidden.files).toEqual(["data/hidden/y.csv", "score.py"]);
    expect(task.context).toEqual([
      { path: "README.md", text: "# Digits\n" },
      { path: "data/public/train.csv", text: "x,y\n1,2\n" },
    ]);
  });

  it("takes a folder for its files, dot files included, and a name with brackets literally", async () => {
    const { workspace } = await digitsWorkspace({
      task: { run: { ...digits.run, inputs: ["data/public", "data/odd [1] (2).csv"] } },
      files: {
        "data/public/.dot/a.csv": "",
        "data/odd [1] (2).csv": "",
        "data/public/__pycache__/a.pyc": "",
      },
    });
    expect((await workspace.resolve("digits")).inputs.files).toEqual([
      "data/odd [1] (2).csv",
      "data/public/.dot/a.csv",
      "data/public/test.csv",
      "data/public/train.csv",
    ]);
  });

  it("lets hidden win over inputs", async () => {
    const { workspace } = await digitsWorkspace({ task: { run: { ...digits.run, inputs: ["data/**"] } } });
    const task = await workspace.resolve("digits");
    expect(task.inputs.files).not.toContain("data/hidden/y.csv");
    expect(task.hidden.files).toContain("data/hidden/y.csv");
  });

  it("shows files that replace others in the holdout to nobody during the search", async () => {
    const { workspace } = await digitsWorkspace({
      task: {
        run: { ...digits.run, inputs: ["data/public/**", "data/final/test.csv"] },
        score: { ...digits.score, hidden: ["score.py", "data/hidden/**", "data/final/**"] },
        holdout: {
          replace: { "data/public/test.csv": "data/final/test.csv", "data/hidden/y.csv": "data/final/y.csv" },
        },
      },
    });
    const task = await workspace.resolve("digits");
    expect([...task.inputs.files, ...task.hidden.files].filter((path) => path.includes("final"))).toEqual([]);
    expect(task.hidden.files).toEqual(["data/hidden/y.csv", "score.py"]);
  });

  it("refuses context and solution that overlap hidden or replacing files, naming each pair at its place", async () => {
    const { workspace } = await digitsWorkspace({
      task: {
        solution: { files: ["solution/**", "data/final/*.csv"] },
        context: ["data/hidden/y.csv"],
        holdout: { replace: { "data/public/test.csv": "data/final/test.csv" } },
      },
    });
    const refusal = workspace.resolve("digits");
    await expect(refusal).rejects.toMatchObject({ reason: "task-invalid" });
    await expect(refusal).rejects.toThrow(
      /^exit\.task\.json:7:7: data\/final\/test\.csv belongs to solution\.files \("data\/final\/\*\.csv"\) and to holdout\.replace \("data\/final\/test\.csv"\); such a file must never/m,
    );
    await expect(refusal).rejects.toThrow(
      /^exit\.task\.json:11:5: data\/hidden\/y\.csv belongs to context \("data\/hidden\/y\.csv"\) and to score\.hidden \("data\/hidden\/\*\*"\)/m,
    );
  });

  it("refuses a file that is an input and part of the solution", async () => {
    const { workspace } = await digitsWorkspace({
      task: { run: { ...digits.run, inputs: ["data/public/**", "solution/model/**"] } },
    });
    await expect(workspace.resolve("digits")).rejects.toThrow(
      /solution\/model\/net\.py belongs to run\.inputs .* and to solution\.files .*read-only/,
    );
  });

  it.each([
    [
      "a solution file",
      { solution: { files: ["solution/trian.py"] } },
      "exit.task.json:6:7: solution.files: the file solution/trian.py does not exist",
    ],
    [
      "the solution",
      { solution: { files: ["nothing/**"] } },
      'exit.task.json:5:14: solution.files matches no file ("nothing/**")',
    ],
    [
      "an input pattern",
      { run: { ...digits.run, inputs: ["data/pubic/**"] } },
      'run.inputs: "data/pubic/**" matches no file',
    ],
    [
      "a hidden file",
      { score: { ...digits.score, hidden: ["score.py", "labels.csv"] } },
      "score.hidden: the file labels.csv does not exist",
    ],
    [
      "a context file",
      { context: ["READ.me"] },
      "exit.task.json:10:5: context: the file READ.me does not exist",
    ],
    [
      "a replacing file",
      { holdout: { replace: { "data/hidden/y.csv": "data/final/z.csv" } } },
      "holdout.replace: the file data/final/z.csv does not exist",
    ],
    [
      "a task file in a set",
      { run: { ...digits.run, inputs: ["exit.task.json"] } },
      "run.inputs: exit.task.json is a task file, which belongs to no set",
    ],
    [
      "a useless replacement",
      { holdout: { replace: { "README.md": "data/final/y.csv" } } },
      "README.md is a file of neither run.inputs nor score.hidden",
    ],
    [
      "a chain of replacements",
      {
        holdout: {
          replace: { "data/hidden/y.csv": "data/final/y.csv", "data/final/y.csv": "data/public/test.csv" },
        },
      },
      "data/final/y.csv is replaced and replaces a file at once",
    ],
    [
      "an output that is code",
      { run: { ...digits.run, outputs: ["model.pth"] } },
      "run.outputs: model.pth could be loaded as code or settings",
    ],
    [
      "an output that is an input",
      { run: { ...digits.run, outputs: ["data/public/train.csv"] } },
      "run.outputs: data/public/train.csv also belongs to run.inputs",
    ],
    [
      "an unseen score script",
      { score: { command: ["python3", "score.py"] } },
      "score.command: score.py is in neither score.hidden nor run.inputs",
    ],
    [
      "a hidden run script",
      { run: { ...digits.run, command: ["python3", "score.py"] } },
      "run.command: score.py is hidden",
    ],
    [
      "an unseen run script",
      { run: { ...digits.run, command: ["cat", "README.md"] } },
      "run.command: README.md is neither part of the solution nor of run.inputs",
    ],
    [
      "answer",
      { solution: { files: ["solution/**"], format: "answer" } },
      'this version runs "code" and "json" solutions, not "answer" yet',
    ],
    [
      "two json files",
      { solution: { files: ["data/public/*"], format: "json" }, run: { ...digits.run, inputs: [] } },
      "matches 2 files, but format json takes exactly one",
    ],
    [
      "a missing schema",
      { solution: { files: ["solution/train.py"], format: "json", schema: "s.json" } },
      "solution.schema: s.json is not a file of the workspace",
    ],
    [
      "a hidden schema",
      { solution: { files: ["solution/train.py"], format: "json", schema: "score.py" } },
      "solution.schema: score.py is hidden",
    ],
  ])("refuses what is wrong with %s", async (_, task, sentence) => {
    const { workspace } = await digitsWorkspace({ task });
    const refusal = workspace.resolve("digits");
    await expect(refusal).rejects.toMatchObject({ reason: "task-invalid" });
    await expect(refusal).rejects.toThrow(sentence);
  });

  it("refuses context that cannot be shown", async () => {
    const { workspace } = await digitsWorkspace({
      task: { context: ["big.txt", "image.bin", { file: "long.txt", head: 1 }] },
      files: {
        "big.txt": "x".repeat(2 ** 20 + 1),
        "image.bin": "a\0b",
        "long.txt": `${"x".repeat(2 ** 20 + 1)}\n`,
      },
    });
    const refusal = workspace.resolve("digits");
    await expect(refusal).rejects.toThrow("big.txt is larger than 1 MiB");
    await expect(refusal).rejects.toThrow("image.bin is not UTF-8 text");
    await expect(refusal).rejects.toThrow("long.txt has first lines of more than 1 MiB");
  });

  it("shows the head of a file of any size, and only once", async () => {
    const { workspace } = await digitsWorkspace({
      task: { context: ["docs/**", { file: "docs/big.csv", head: 1 }, "solution/train.py"] },
      files: { "docs/big.csv": `a,b\n${"1,2\n".repeat(2 ** 19)}`, "docs/z.md": "z" },
    });
    expect((await workspace.resolve("digits")).context).toEqual([
      { path: "docs/big.csv", text: "a,b\n" },
      { path: "docs/z.md", text: "z" },
    ]);
  });

  it("refuses a solution file that is too large", async () => {
    const { workspace } = await digitsWorkspace({ files: { "solution/w.bin": "x".repeat(3 * 2 ** 19) } });
    await expect(workspace.resolve("digits")).rejects.toThrow(
      "solution/w.bin has 1.5 MiB, but a solution file may have at most 1 MiB",
    );
  });

  it("reads a json task with its schema, and refuses a solution that is not JSON, with the place", async () => {
    const task = {
      solution: { files: ["c.json"], format: "json", schema: "s.json" },
      run: { ...digits.run, command: ["true"] },
    };
    const files = { "c.json": '{ "lr": 1 }', "s.json": '{ "type": "object" }' };
    const good = await digitsWorkspace({ task, files });
    const resolved = await good.workspace.resolve("digits");
    expect(resolved.schema).toStrictEqual({ type: "object" });
    expect(resolved.isSolutionPath("c.json")).toBe(true);
    const bad = await digitsWorkspace({ task, files: { "c.json": '{\n  "lr": 1,\n}', "s.json": "[]" } });
    const refusal = bad.workspace.resolve("digits");
    await expect(refusal).rejects.toThrow(/^c\.json:3:1: a key in double quotes is expected here$/m);
    await expect(refusal).rejects.toThrow(/^s\.json:1:1: a JSON Schema must be an object$/m);
  });
});

describe("which paths a revision may use", () => {
  it("solution paths stay in their set, in the workspace and away from skipped folders", async () => {
    const { workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const may = (path: string): boolean => task.isSolutionPath(path);
    expect(["solution/train.py", "solution/new/deep/a.py", "solution/.env"].filter(may)).toHaveLength(3);
    expect(
      [
        "solution",
        "solution/",
        "Solution/train.py",
        "README.md",
        "score.py",
        "data/public/train.csv",
        "/solution/a.py",
        "solution/../score.py",
        "solution/./a.py",
        "solution//a.py",
        "solution\\a.py",
        "solution/a\u0000.py",
        "solution/.git/hooks/x",
        "solution/__pycache__/a.pyc",
        "solution/exit.task.json",
        "solution/.a.exit-tmp",
        "",
      ].filter(may),
    ).toEqual([]);
  });

  it("outputs are never code, never data, and never stand in the way of another file", async () => {
    const { workspace } = await digitsWorkspace({
      task: {
        run: { ...digits.run, outputs: ["**"] },
        holdout: { replace: { "data/hidden/y.csv": "data/final/y.csv" } },
      },
    });
    const task = await workspace.resolve("digits");
    const may = (path: string): boolean => task.isOutputPath(path) && !isSelfLoading(path);
    expect(["predictions.csv", "out/a/b.json", ".hidden", "weights.pt"].filter(may)).toHaveLength(4);
    expect(
      [
        "numpy.py",
        "a/evil.PY",
        "a.pyc",
        "x.pth",
        "libc.so",
        "libc.so.6",
        "m.pyd",
        "m.dylib",
        "m.dll",
        "__pycache__/x.txt",
        "a/__PyCache__/x.txt",
        "score.py",
        "score.py/x.txt",
        "data",
        "data/hidden",
        "data/hidden/y.csv",
        "data/hidden/new.csv",
        "data/final/y.csv",
        "data/public/new.csv",
        "solution/train.py",
        "solution/weights.bin",
        "exit.task.json",
        "/etc/passwd",
        "../x.csv",
        "a/../../x.csv",
      ].filter(may),
    ).toEqual([]);
  });
});

describe("the evaluator digest", () => {
  const digestOf = async (changes: Parameters<typeof digitsWorkspace>[0] = {}): Promise<string> =>
    (await (await digitsWorkspace(changes)).workspace.resolve("digits")).evaluatorDigest;

  it("is the same for the same evaluator, wherever it lies and however it is written", async () => {
    const usual = await digestOf();
    expect(await digestOf()).toBe(usual);
    expect(
      await digestOf({
        task: {
          instruction: "Other words.",
          context: [],
          run: { ...digits.run, timeout: "300s", outputs: ["out/**", "predictions.csv"] },
        },
        files: { "solution/train.py": "another = 1\n" },
      }),
    ).toBe(usual);
  });

  it("changes with commands, limits, image, scale and every byte of data", async () => {
    const digests = await Promise.all([
      digestOf(),
      digestOf({ task: { run: { ...digits.run, command: ["python3", "-u", "solution/train.py"] } } }),
      digestOf({ task: { run: { ...digits.run, timeout: "1m" } } }),
      digestOf({ task: { run: { ...digits.run, outputs: ["predictions.csv"] } } }),
      digestOf({ task: { score: { ...digits.score, timeout: "2m" } } }),
      digestOf({ task: { score: { fromRun: "a=(.*)" } } }),
      digestOf({ task: { sandbox: { image: "local", memory: "1g" } } }),
      digestOf({ task: { sandbox: { image: "other" } } }),
      digestOf({ task: { sandbox: { build: {} } } }),
      digestOf({ task: { metric: { ...digits.metric, worst: 0.1 } } }),
      digestOf({ files: { "data/public/test.csv": "x\n8\n" } }),
      digestOf({ files: { "data/hidden/y.csv": "9\n" } }),
      digestOf({ files: { "data/hidden/z.csv": "8\n" } }),
    ]);
    expect(new Set(digests).size).toBe(digests.length);
  });
});
