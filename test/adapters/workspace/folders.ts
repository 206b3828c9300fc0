/** Workspaces in temporary folders for tests. */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { createWorkspace } from "../../../src/adapters/workspace/workspace.ts";
import type { Workspace } from "../../../src/core/ports.ts";

export type Files = Readonly<Record<string, string>>;

/** A valid task and its files, to be varied. */
export const digits = {
  name: "digits",
  instruction: "Raise the accuracy.",
  solution: { files: ["solution/**"] },
  context: ["README.md", { file: "data/public/train.csv", head: 2 }],
  run: {
    command: ["python3", "solution/train.py"],
    inputs: ["data/public/**"],
    outputs: ["predictions.csv", "out/**"],
  },
  score: { command: ["python3", "score.py"], hidden: ["score.py", "data/hidden/**"] },
  metric: { name: "accuracy", direction: "maximize", worst: 0, best: 1 },
  sandbox: { image: "local" },
};

export const digitsFiles: Files = {
  "solution/train.py": "print('train')\n",
  "solution/model/net.py": "layers = 2\n",
  "README.md": "# Digits\n",
  "data/public/train.csv": "x,y\n1,2\n3,4\n5,6\n",
  "data/public/test.csv": "x\n7\n",
  "data/hidden/y.csv": "8\n",
  "data/final/test.csv": "x\n9\n",
  "data/final/y.csv": "10\n",
  "score.py": "print('{}')\n",
};

/** A temporary folder, its real path, removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "exit-workspace-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function put(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The digits workspace with some keys of its task and some files changed; null removes a file. */
export async function digitsWorkspace(
  changes: { readonly task?: object; readonly files?: Readonly<Record<string, string | null>> } = {},
): Promise<{ folder: string; staging: string; workspace: Workspace }> {
  const folder = await temporaryFolder();
  const staging = join(folder, ".exit", "staged");
  const task = JSON.stringify({ ...digits, ...changes.task }, null, 2);
  const files = { "exit.task.json": task, ...digitsFiles, ...changes.files };
  await put(
    folder,
    Object.fromEntries(Object.entries(files).filter((file): file is [string, string] => file[1] !== null)),
  );
  return { folder, staging, workspace: createWorkspace({ folder, stagingFolder: staging }) };
}

/** Every file below a folder with its text, `.exit` left out. */
export async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith(".exit/"))
    .sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (path) => [path, await readFile(join(folder, path), "utf8")] as const)),
  );
}
