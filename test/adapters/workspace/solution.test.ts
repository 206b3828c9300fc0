import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Solution } from "../../../src/core/ports.ts";
import { contents, digitsWorkspace, put, temporaryFolder } from "./folders.ts";

function solutionOf(files: Readonly<Record<string, string>>, executable: readonly string[] = []): Solution {
  return Object.entries(files).map(([path, text]) => ({
    path,
    bytes: new TextEncoder().encode(text),
    executable: executable.includes(path),
  }));
}

function textsOf(solution: Solution): Record<string, string> {
  return Object.fromEntries(solution.map(({ path, bytes }) => [path, Buffer.from(bytes).toString("latin1")]));
}

describe("reading a solution", () => {
  it("gives its files as they are now, sorted, with every byte and the executable bit", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    await put(folder, { "solution/a.sh": "#!/bin/sh\n" });
    await chmod(join(folder, "solution/a.sh"), 0o755);
    await writeFile(join(folder, "solution/z.bin"), Buffer.from([0, 255, 13, 10]));
    await put(folder, { "solution/__pycache__/train.pyc": "x" });
    const solution = await workspace.solution(task);
    expect(textsOf(solution)).toEqual({
      "solution/a.sh": "#!/bin/sh\n",
      "solution/model/net.py": "layers = 2\n",
      "solution/train.py": "print('train')\n",
      "solution/z.bin": "\0\u00ff\r\n",
    });
    expect(solution.map(({ executable }) => executable)).toEqual([true, false, false, false]);
  });

  it("finds the same paths in another folder, and nothing but them", async () => {
    const { workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const other = await temporaryFolder();
    await put(other, { "solution/train.py": "other\n", "score.py": "mine\n", "notes.md": "" });
    expect(textsOf(await workspace.solutionIn(other, task))).toEqual({ "solution/train.py": "other\n" });
  });

  it("says where it looked when there is nothing, or no folder", async () => {
    const { workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const other = await temporaryFolder();
    await expect(workspace.solutionIn(other, task)).rejects.toMatchObject({
      reason: "solution-missing",
      message: expect.stringContaining(`${other} holds no solution file of task "digits" (solution/**)`),
    });
    await expect(workspace.solutionIn(join(other, "gone"), task)).rejects.toMatchObject({
      reason: "folder-missing",
    });
  });

  it("refuses a file that has grown too large", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    await writeFile(join(folder, "solution/big.bin"), Buffer.alloc(2 ** 20 + 1));
    await expect(workspace.solution(task)).rejects.toThrow("a solution file may have at most 1 MiB");
  });
});

describe("writing a solution", () => {
  it("makes the solution files equal to it and leaves every neighbour alone", async () => {
    const { folder, workspace } = await digitsWorkspace({
      files: { "solution/.venv/keep": "k", "other/a.txt": "a" },
    });
    const task = await workspace.resolve("digits");
    const before = await contents(folder);
    const next = solutionOf({ "solution/new/deep/tool.sh": "#!/bin/sh\n", "solution/train.py": "better\n" }, [
      "solution/new/deep/tool.sh",
    ]);
    await workspace.write(task, next);
    const { "solution/model/net.py": _, ...rest } = before;
    expect(await contents(folder)).toEqual({
      ...rest,
      "solution/new/deep/tool.sh": "#!/bin/sh\n",
      "solution/train.py": "better\n",
    });
    expect(await workspace.solution(task)).toEqual(
      next.map((file) => ({ ...file, bytes: Buffer.from(file.bytes) })),
    );
    // The folder it emptied is gone, like in git.
    expect((await readdir(join(folder, "solution"))).sort()).toEqual([".venv", "new", "train.py"]);
  });

  it("goes there and back without a trace", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const original = await workspace.solution(task);
    const before = await contents(folder);
    await workspace.write(task, solutionOf({ "solution/train.py": "x", "solution/deep/er/a.py": "y" }));
    await workspace.write(task, original);
    expect(await contents(folder)).toEqual(before);
    expect((await readdir(join(folder, "solution"))).sort()).toEqual(["model", "train.py"]);
  });

  it("replaces a file by renaming a whole one over it: who has the old one open keeps the old one", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const path = join(folder, "solution/train.py");
    const { ino } = await stat(path);
    await workspace.write(
      task,
      solutionOf({ "solution/train.py": "better\n", "solution/model/net.py": "layers = 2\n" }),
    );
    expect((await stat(path)).ino).not.toBe(ino);
    expect(await readFile(path, "utf8")).toBe("better\n");
  });

  it("does not touch files that are equal already", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const before = await stat(join(folder, "solution/train.py"), { bigint: true });
    await workspace.write(task, await workspace.solution(task));
    const after = await stat(join(folder, "solution/train.py"), { bigint: true });
    expect([after.ino, after.mtimeNs, after.ctimeNs]).toEqual([before.ino, before.mtimeNs, before.ctimeNs]);
  });

  it("keeps who may read a file and sets who may run it", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const modeOf = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777;
    await chmod(join(folder, "solution/train.py"), 0o640);
    await workspace.write(task, solutionOf({ "solution/train.py": "a" }, ["solution/train.py"]));
    expect(await modeOf("solution/train.py")).toBe(0o750);
    await workspace.write(task, solutionOf({ "solution/train.py": "a" }));
    expect(await modeOf("solution/train.py")).toBe(0o640);
  });

  it("turns a file into a folder and back", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    await workspace.write(task, solutionOf({ "solution/train.py/main.py": "a" }));
    expect(textsOf(await workspace.solution(task))).toEqual({ "solution/train.py/main.py": "a" });
    await workspace.write(task, solutionOf({ "solution/train.py": "b" }));
    expect(textsOf(await workspace.solution(task))).toEqual({ "solution/train.py": "b" });
    expect(await readdir(join(folder, "solution"))).toEqual(["train.py"]);
  });

  it.each([
    [{ "solution/train.py": "x", "score.py": "cheat" }, 'score.py is not a solution path of task "digits"'],
    [{ "solution/train.py": "x", "../evil.py": "x" }, "../evil.py is not a solution path"],
    [
      { "solution/train.py": "x", "solution/train.py/a.py": "x" },
      "solution/train.py is a file and the folder of solution/train.py/a.py at once",
    ],
    [{ "solution/taken": "x" }, "solution/taken is not a regular file"],
    [{ "solution/taken/.venv": "x" }, "solution/taken/.venv is not a solution path"],
  ])("refuses %o before anything is written", async (files, sentence) => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    await mkdir(join(folder, "solution/taken"));
    const before = await contents(folder);
    await expect(workspace.write(task, solutionOf(files))).rejects.toMatchObject({ reason: "path-refused" });
    await expect(workspace.write(task, solutionOf(files))).rejects.toThrow(sentence);
    expect(await contents(folder)).toEqual(before);
  });

  it("is not confused by what a killed write left behind", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    await put(folder, { "solution/.train.py.exit-tmp": "hal" });
    expect(Object.keys(textsOf(await workspace.solution(task)))).not.toContain("solution/.train.py.exit-tmp");
    await workspace.write(task, solutionOf({ "solution/train.py": "whole\n" }));
    expect(await contents(join(folder, "solution"))).toEqual({ "train.py": "whole\n" });
  });
});
