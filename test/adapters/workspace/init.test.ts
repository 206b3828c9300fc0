import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createWorkspace } from "../../../src/adapters/workspace/workspace.ts";
import type { InitRequest } from "../../../src/app/app.ts";
import { initTask } from "../../../src/app/init.ts";
import { contents, digits, digitsFiles, digitsWorkspace, put, temporaryFolder } from "./folders.ts";

const request: InitRequest = {
  name: "digits",
  instruction: 'Raise the "accuracy".\nKeep it short.',
  files: ["solution/train.py"],
  run: ["python3", "solution/train.py"],
  score: ["python3", "score.py"],
  hidden: ["score.py", "data/hidden/**"],
  inputs: ["data/public/**"],
  outputs: ["predictions.csv"],
  metric: { name: "accuracy", direction: "maximize", worst: 0, best: 1 },
  image: "local",
};

async function emptyWorkspace(): Promise<string> {
  const folder = await temporaryFolder();
  await put(folder, digitsFiles);
  return folder;
}

describe("writing a task file", () => {
  it("gives a commented file that is a valid task at once", async () => {
    const folder = await emptyWorkspace();
    expect(await initTask(folder, request)).toEqual({ file: "exit.task.json" });
    expect((await contents(folder))["exit.task.json"]).toMatch(/^ {2}\/\/ .*hidden/m);
    const workspace = createWorkspace({ folder, stagingFolder: join(folder, ".exit") });
    const task = await workspace.resolve("digits");
    expect(task.definition).toMatchObject({
      instruction: request.instruction,
      solution: { files: request.files, format: "code" },
      score: { command: request.score, hidden: request.hidden },
      metric: request.metric,
    });
  });

  it("writes a quick-start task and a json task, in a folder of its own if asked", async () => {
    const folder = await emptyWorkspace();
    await put(folder, { "config.json": "{}" });
    const { score: _, hidden: __, outputs: ___, ...rest } = request;
    const quick = {
      ...rest,
      name: "quick",
      file: "tasks/quick/exit.task.json",
      files: ["config.json"],
      run: ["true"],
      fromRun: "acc=(.*)",
    };
    expect(await initTask(folder, quick)).toEqual({ file: "tasks/quick/exit.task.json" });
    const task = await createWorkspace({ folder, stagingFolder: join(folder, ".exit") }).resolve("quick");
    expect(task.definition).toMatchObject({ score: { fromRun: "acc=(.*)" }, solution: { format: "json" } });
  });

  it("never overwrites", async () => {
    const { folder } = await digitsWorkspace();
    const before = await contents(folder);
    await expect(initTask(folder, { ...request, name: "other" })).rejects.toMatchObject({
      reason: "task-exists",
      message: expect.stringContaining("exit.task.json is there already and was left as it is"),
    });
    expect(await contents(folder)).toEqual(before);
  });

  it.each([
    [
      "a missing solution file",
      { files: ["solution/trian.py"] },
      "solution.files: the file solution/trian.py does not exist; create it",
    ],
    [
      "a missing hidden file",
      { hidden: ["score.py", "labels.csv"] },
      "score.hidden: the file labels.csv does not exist",
    ],
    ["an overlap", { files: ["data/hidden/y.csv"] }, "belongs to solution.files"],
    ["no outputs", { outputs: [] }, "run.outputs: is empty"],
    ["a bad name", { name: "a b" }, "name: must be 1 to 64 letters"],
    ["no scale", { metric: { ...request.metric, worst: 1 } }, "worst and best are equal"],
    ["a path outside", { files: ["../x.py"] }, "must stay inside the workspace folder"],
    ["another file name", { file: "task.json" }, "A task file is always called exit.task.json"],
    ["a file outside", { file: "../exit.task.json" }, "must lie inside the workspace folder"],
    ["two ways to score", { fromRun: "(x)" }, "not both"],
    ["a file as folder", { file: "README.md/exit.task.json" }, "README.md is not a folder"],
  ])("writes nothing with %s", async (_, change, sentence) => {
    const folder = await emptyWorkspace();
    const before = await contents(folder);
    const refusal = initTask(folder, { ...request, ...change });
    await expect(refusal).rejects.toMatchObject({ reason: "task-invalid" });
    await expect(refusal).rejects.toThrow(sentence);
    expect(await contents(folder)).toEqual(before);
  });

  it("needs a way to score", async () => {
    const { score: _, ...rest } = request;
    await expect(initTask(await emptyWorkspace(), rest)).rejects.toThrow("A task needs a way to be scored");
  });

  it("refuses a name that is taken, and a folder that is a link", async () => {
    const folder = await emptyWorkspace();
    await put(folder, { "one/exit.task.json": JSON.stringify(digits) });
    await expect(initTask(folder, request)).rejects.toThrow('name: "digits" is taken by one/exit.task.json');
    await symlink(join(folder, "one"), join(folder, "two"));
    await expect(initTask(folder, { ...request, file: "two/exit.task.json" })).rejects.toThrow(
      "there already",
    );
    await expect(initTask(folder, { ...request, name: "b", file: "two/x/exit.task.json" })).rejects.toThrow(
      "two is a link",
    );
  });
});
