import { spawn } from "node:child_process";
import { chmod, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entryAt } from "../../../src/adapters/workspace/entries.ts";
import { createFileHasher } from "../../../src/adapters/workspace/hashing.ts";
import { createStaging } from "../../../src/adapters/workspace/staging.ts";
import type { StagedData } from "../../../src/core/ports.ts";
import { contents, digitsWorkspace, put, temporaryFolder } from "./folders.ts";

describe("staged data", () => {
  it("are copies at their workspace paths that any user can read", async () => {
    const { folder, workspace } = await digitsWorkspace();
    await chmod(join(folder, "data/hidden/y.csv"), 0o600);
    await chmod(join(folder, "data/hidden"), 0o700);
    const { hidden } = await workspace.resolve("digits");
    expect(await contents(hidden.folder)).toEqual({
      "data/hidden/y.csv": "8\n",
      "score.py": "print('{}')\n",
    });
    const modes = await Promise.all(
      ["", "data", "data/hidden", "data/hidden/y.csv"].map(
        async (path) => (await stat(join(hidden.folder, path))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o755, 0o755, 0o755, 0o644]);
  });

  it("have a digest that depends on paths and bytes alone", async () => {
    const first = await digitsWorkspace();
    const second = await digitsWorkspace();
    await utimes(join(second.folder, "data/hidden/y.csv"), 1, 1);
    const digest = (await first.workspace.resolve("digits")).hidden.digest;
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect((await second.workspace.resolve("digits")).hidden.digest).toBe(digest);
    await put(second.folder, { "data/hidden/y.csv": "9\n" });
    const changed = (await second.workspace.resolve("digits")).hidden;
    expect(changed.digest).not.toBe(digest);
    expect(await readFile(join(changed.folder, "data/hidden/y.csv"), "utf8")).toBe("9\n");
  });

  it("are made once and stay as they were when the workspace changes", async () => {
    const { folder, staging, workspace } = await digitsWorkspace();
    const before = (await workspace.resolve("digits")).inputs;
    const madeAt = (await stat(before.folder)).ctimeMs;
    expect((await workspace.resolve("digits")).inputs).toEqual(before);
    expect((await stat(before.folder)).ctimeMs).toBe(madeAt);
    await put(folder, { "data/public/test.csv": "changed\n" });
    await workspace.resolve("digits");
    expect(await readFile(join(before.folder, "data/public/test.csv"), "utf8")).toBe("x\n7\n");
    expect((await readdir(staging)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("may be empty", async () => {
    const root = await temporaryFolder();
    const data = await createStaging(join(root, "staged")).stage([]);
    expect(data.files).toEqual([]);
    expect(await readdir(data.folder)).toEqual([]);
  });

  it("are made again if a file is short or the folder is gone", async () => {
    const { folder, staging, workspace } = await digitsWorkspace();
    const { inputs } = await workspace.resolve("digits");
    await truncate(join(inputs.folder, "data/public/train.csv"), 1);
    const entries = await Promise.all(inputs.files.map((path) => entryAt(folder, path)));
    const again = await createStaging(staging).stage(entries);
    expect(again).toEqual(inputs);
    expect(await readFile(join(again.folder, "data/public/train.csv"), "utf8")).toBe("x,y\n1,2\n3,4\n5,6\n");
    await rm(inputs.folder, { recursive: true });
    await workspace.resolve("digits");
    expect(await readdir(inputs.folder)).toEqual(["data"]);
  });

  it("are whole when many ask for them at once", async () => {
    const { folder, staging, workspace } = await digitsWorkspace();
    const { inputs } = await workspace.resolve("digits");
    await rm(staging, { recursive: true });
    const entries = await Promise.all(inputs.files.map((path) => entryAt(folder, path)));
    const all = await Promise.all(Array.from({ length: 8 }, () => createStaging(staging).stage(entries)));
    expect(new Set(all.map(({ digest }) => digest))).toEqual(new Set([inputs.digest]));
    expect(await readdir(staging)).toEqual([inputs.digest]);
  });

  it("never stand there half when the process is killed, and what it left is cleared away", async () => {
    const root = await temporaryFolder();
    const staging = join(root, "staged");
    await put(root, Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`data/${i}.txt`, `${i}\n`])));
    await writeFile(
      join(root, "stage.ts"),
      `import { createStaging } from ${JSON.stringify(new URL("../../../src/adapters/workspace/staging.ts", import.meta.url).href)};
import { entryAt } from ${JSON.stringify(new URL("../../../src/adapters/workspace/entries.ts", import.meta.url).href)};
const entries = await Promise.all(Array.from({ length: 60 }, (_, i) => entryAt(${JSON.stringify(root)}, \`data/\${i}.txt\`)));
await createStaging(${JSON.stringify(staging)}).stage(entries);`,
    );
    const preload = new URL("./die-at-copy.ts", import.meta.url).href;
    const child = spawn(
      process.execPath,
      [
        "--import",
        preload,
        "--input-type=module",
        "--eval",
        `await import(${JSON.stringify(join(root, "stage.ts"))})`,
      ],
      { stdio: "ignore", env: { ...process.env, DIE_AT: "30" } },
    );
    expect(await new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)))).toBe(
      "SIGKILL",
    );
    const left = await readdir(staging);
    expect(left).toEqual([expect.stringMatching(/^\.staging-/)]);
    expect((await readdir(join(staging, left[0] ?? "", "data"))).length).toBeGreaterThan(10);

    const entries = await Promise.all(Array.from({ length: 60 }, (_, i) => entryAt(root, `data/${i}.txt`)));
    const data = await createStaging(staging).stage(entries);
    expect(await readdir(staging)).toEqual([data.digest]);
    expect(await readdir(join(data.folder, "data"))).toHaveLength(60);
  });

  it("cannot be staged into a place that is not a folder, and the message says where", async () => {
    const root = await temporaryFolder();
    await put(root, { staged: "a file" });
    await expect(createStaging(join(root, "staged")).stage([])).rejects.toMatchObject({
      reason: "staging-failed",
      message: expect.stringContaining(join(root, "staged")),
    });
  });
});

describe("remembered hashes", () => {
  it("are used only for files that have been quiet, since a fast second change may not show", async () => {
    const root = await temporaryFolder();
    await put(root, { a: "1" });
    const entry = await entryAt(root, "a");
    const young = createFileHasher(() => entry.changedAt + 100);
    const old = createFileHasher(() => entry.changedAt + 10_000);
    const [first] = await Promise.all([young.hash(entry), old.hash(entry)]);
    await writeFile(join(root, "a"), "2");
    // The entry still has the stamp of the first content, as it would within one tick of the clock.
    expect(await young.hash(entry)).not.toBe(first);
    expect(await old.hash(entry)).toBe(first);
    expect(await old.hash(await entryAt(root, "a"))).not.toBe(first);
  });
});

it("stands in the holdout with each replacing file at the path it replaces, and everything else as it was", async () => {
  const holdout = {
    replace: { "data/public/test.csv": "data/final/test.csv", "data/hidden/y.csv": "./data/final/y.csv" },
  };
  const { workspace } = await digitsWorkspace({ task: { holdout } });
  const task = await workspace.resolve("digits");
  const inHoldout = await workspace.holdout(task);
  if (inHoldout === null) throw new Error("the task has a holdout");
  const text = (data: StagedData, path: string) => readFile(join(data.folder, path), "utf8");
  expect(await text(task.inputs, "data/public/test.csv")).toBe("x\n7\n");
  expect(await text(inHoldout.inputs, "data/public/test.csv")).toBe("x\n9\n");
  expect(await text(inHoldout.hidden, "data/hidden/y.csv")).toBe("10\n");
  expect(await text(inHoldout.inputs, "data/public/train.csv")).toBe(
    await text(task.inputs, "data/public/train.csv"),
  );
  expect(inHoldout.inputs.files).toEqual(task.inputs.files);
  expect(inHoldout.hidden.files).toEqual(task.hidden.files);
  expect(inHoldout.evaluatorDigest).not.toBe(task.evaluatorDigest);
});

it("is only that of the search for a task without a holdout", async () => {
  const { workspace } = await digitsWorkspace();
  expect(await workspace.holdout(await workspace.resolve("digits"))).toBeNull();
});
