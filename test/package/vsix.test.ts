/** The packed extension: what is in it, and that it works where nothing else is. */
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const execute = promisify(execFile);
const repository = join(import.meta.dirname, "..", "..");
const vsix = join(repository, "dist", "exit-ml.vsix");

let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-vsix-")));
  await execute("python3", ["-m", "zipfile", "-e", vsix, join(folder, "unpacked")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

const unpacked = (...parts: string[]) => join(folder, "unpacked", "extension", ...parts);

it("holds exactly the files of test/vsix-files.txt", () => {
  const files = readdirSync(join(folder, "unpacked"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "unpacked").length + 1));
  const listed = readFileSync(join(repository, "test", "vsix-files.txt"), "utf8")
    .trim()
    .split("\n");
  expect(files.sort()).toEqual(listed.sort());
});

it("is under 1 MB", () => {
  expect(statSync(vsix).size).toBeLessThan(1_000_000);
});

it("declares the user's commands by title", () => {
  const { contributes } = JSON.parse(readFileSync(unpacked("package.json"), "utf8"));
  const titles = contributes.commands.map((command: { title: string }) => command.title);
  expect(titles).toEqual(expect.arrayContaining(["Iterate Solution", "Export Training Data"]));
});

it("starts its runner and answers in a folder with nothing around it", async () => {
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  const { stdout } = await execute(
    process.execPath,
    [unpacked("dist", "cli.js"), "status", "--json", "-C", workspace],
    { cwd: folder, env: { ...process.env, EXIT_ML_IDLE_MS: "100" } },
  );
  expect(JSON.parse(stdout)).toMatchObject({ workspace, tasks: [], activeRun: null });
});

it("loads as an extension with nothing but the editor's own module", async () => {
  // A fake editor: only what is asked for while the extension is loaded, which is nothing that does anything.
  const fake = join(folder, "fake-editor.cjs");
  writeFileSync(
    fake,
    `const Module = require("node:module");
     const load = Module._load;
     class Thing {}
     Module._load = (name, ...rest) => name === "vscode" ? new Proxy({}, { get: () => Thing }) : load(name, ...rest);
     console.log(Object.keys(require(${JSON.stringify(unpacked("dist", "extension.js"))})).join());`,
  );
  const { stdout } = await execute(process.execPath, [fake], { cwd: folder });
  expect(stdout.trim()).toBe("activate");
});
