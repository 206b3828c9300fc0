/** "Install exit-ml in PATH": the command line on the machine, without anything a user has to install. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { testWith } from "../support/without.ts";
import { openFolder } from "./session.ts";
import { emptyFolder, vsix } from "./workspace.ts";

// On Windows the launcher goes elsewhere and looks otherwise.
const it = process.platform === "win32" ? test.skip : testWith("editor");

it("installs a launcher that works, and keeps a program of that name that is not its own", async () => {
  const home = emptyFolder();
  const bin = join(home, ".local", "bin");
  const launcher = join(bin, "exit-ml");
  const foreign = "#!/bin/sh\necho mine\n";
  mkdirSync(bin, { recursive: true });
  writeFileSync(launcher, foreign);
  const window = await openFolder(emptyFolder(), { vsix, env: { HOME: home } });

  await window.run("ExIt ML: Install exit-ml in PATH");
  const refused = await window.notifications.waitFor("is not ours");
  expect(refused.kind).toBe("error");
  expect(refused.text).toContain(launcher);
  expect(readFileSync(launcher, "utf8")).toBe(foreign);
  await window.screenshot("refused");
  await window.notifications.clear();

  rmSync(launcher);
  await window.run("ExIt ML: Install exit-ml in PATH");
  const installed = await window.notifications.waitFor(`Add ${bin} to your PATH`);
  expect(installed.buttons).toContain("Copy Folder");
  await window.screenshot("installed");
  expect(statSync(launcher).mode & 0o777).toBe(0o755);
  const { stdout } = await promisify(execFile)(launcher, ["--version"]);
  const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  expect(stdout.trim()).toBe((JSON.parse(text) as { version: string }).version);
});
