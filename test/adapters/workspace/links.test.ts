import { link, mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createWorkspace } from "../../../src/adapters/workspace/workspace.ts";
import { digits, digitsWorkspace, put, temporaryFolder } from "./folders.ts";

const inputsAll = { run: { ...digits.run, inputs: ["data/public/**"] } };

async function elsewhere(): Promise<string> {
  const folder = await temporaryFolder();
  await put(folder, { "secret.csv": "1\n", "train.py": "x\n", "deep/a.csv": "2\n" });
  return folder;
}

describe("links", () => {
  it("that leave the workspace are refused in every set, with the place they lead to", async () => {
    const outside = await elsewhere();
    for (const [path, set] of [
      ["solution/out.py", "solution.files"],
      ["data/public/out.csv", "run.inputs"],
      ["data/hidden/out.csv", "score.hidden"],
    ] as const) {
      const { folder, workspace } = await digitsWorkspace({ task: inputsAll });
      await symlink(join(outside, "secret.csv"), join(folder, path));
      await expect(workspace.resolve("digits")).rejects.toThrow(
        `${set}: ${path} is reached through a link that leaves the workspace (to ${outside}/secret.csv)`,
      );
    }
  });

  it("of a folder above a file are seen too", async () => {
    const outside = await elsewhere();
    const { folder, workspace } = await digitsWorkspace({
      task: { solution: { files: ["linked/train.py"] }, run: { ...digits.run, command: ["true"] } },
    });
    await symlink(outside, join(folder, "linked"));
    await expect(workspace.resolve("digits")).rejects.toThrow(
      "solution.files: linked/train.py is reached through a link that leaves the workspace",
    );
    const { folder: other, workspace: second } = await digitsWorkspace({
      task: { run: { ...digits.run, inputs: ["data/linked/**"] } },
    });
    await symlink(join(outside, "deep"), join(other, "data/linked"));
    await expect(second.resolve("digits")).rejects.toThrow(
      "run.inputs: data/linked/a.csv is reached through a link that leaves the workspace",
    );
  });

  it("inside the workspace are refused for the solution, which is written to", async () => {
    const { folder, workspace } = await digitsWorkspace({ files: { "lib/real.py": "x\n" } });
    await symlink("../lib/real.py", join(folder, "solution/alias.py"));
    await expect(workspace.resolve("digits")).rejects.toThrow(
      "solution.files: solution/alias.py is reached through a link; name the file itself",
    );
  });

  it("inside the workspace serve as inputs, with the content they lead to", async () => {
    const { folder, workspace } = await digitsWorkspace({ files: { "data/v2.csv": "v2\n" } });
    await symlink("../v2.csv", join(folder, "data/public/latest.csv"));
    const { inputs } = await workspace.resolve("digits");
    expect(inputs.files).toContain("data/public/latest.csv");
  });

  it("to folders and to nowhere are refused instead of passed over", async () => {
    const { folder, workspace } = await digitsWorkspace({ files: { "data/v2/a.csv": "" } });
    await symlink("../v2", join(folder, "data/public/latest"));
    await symlink("../gone.csv", join(folder, "data/public/gone.csv"));
    const refusal = workspace.resolve("digits");
    await expect(refusal).rejects.toThrow("data/public/latest is a link to a folder; name the folder itself");
    await expect(refusal).rejects.toThrow("data/public/gone.csv is a link that leads nowhere");
  });

  it("and hard links that give a hidden file a second name are refused, wherever the second name is", async () => {
    for (const [path, set] of [
      ["data/public/y.csv", "run.inputs"],
      ["solution/y.csv", "solution.files"],
      ["docs/y.csv", "context"],
    ] as const) {
      const { folder, workspace } = await digitsWorkspace({
        task: { ...inputsAll, ...(set === "context" ? { context: ["docs/**"] } : {}) },
        files: { "docs/a.md": "" },
      });
      await link(join(folder, "data/hidden/y.csv"), join(folder, path));
      await expect(workspace.resolve("digits")).rejects.toThrow(
        new RegExp(
          `${path} belongs to ${set} .* and as data/hidden/y.csv to score.hidden .* both names are one file`,
        ),
      );
    }
    const { folder, workspace } = await digitsWorkspace({ task: inputsAll });
    await symlink("../hidden/y.csv", join(folder, "data/public/y.csv"));
    await expect(workspace.resolve("digits")).rejects.toThrow("as data/hidden/y.csv to score.hidden");
  });

  it("to the workspace folder itself do no harm", async () => {
    const { folder } = await digitsWorkspace();
    const other = await temporaryFolder();
    await symlink(folder, join(other, "here"));
    const workspace = createWorkspace({ folder: join(other, "here"), stagingFolder: join(other, "staged") });
    const task = await workspace.resolve("digits");
    expect((await workspace.solution(task)).map(({ path }) => path)).toEqual([
      "solution/model/net.py",
      "solution/train.py",
    ]);
  });

  it("put in place of a folder after the task was read keep a solution from being written through them", async () => {
    const { folder, workspace } = await digitsWorkspace();
    const task = await workspace.resolve("digits");
    const solution = await workspace.solution(task);
    const outside = await elsewhere();
    await rename(join(folder, "solution/model"), join(folder, "moved"));
    await symlink(outside, join(folder, "solution/model"));
    await expect(workspace.write(task, solution)).rejects.toMatchObject({
      reason: "path-refused",
      message: "solution/model/net.py lies behind the link solution/model; replace the link by a folder.",
    });
    await rm(join(folder, "solution/model"));
    await mkdir(join(folder, "solution/model"));
    await symlink(join(outside, "train.py"), join(folder, "solution/model/net.py"));
    await expect(workspace.write(task, solution)).rejects.toThrow(
      "solution/model/net.py is a link; replace it by the file itself.",
    );
    await expect(workspace.solution(task)).rejects.toMatchObject({ reason: "solution-invalid" });
  });
});
