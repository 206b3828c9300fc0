/** A history as the command line left it, in each of VS Code's own themes. The pictures are for people to judge. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { testWith } from "../support/without.ts";
import { openFolder, type Session } from "./session.ts";
import { type Theme, useTheme } from "./themes.ts";
import { themes } from "./workbench.ts";
import { copyOfExample, vsix } from "./workspace.ts";

const it = testWith("editor", "docker", "model");
const exported = "20260131-235959";
const program = join(import.meta.dirname, "..", "..", "dist", "cli.js");

it("shows rows with their icons, differences, replies and questions in every theme", async () => {
  const folder = copyOfExample("digits-config");
  const run = ["run", "--iterations", "2", "--group-size", "4", "--max-reply-tokens", "200", "--seed", "11"];
  const out = join(folder, ".exit", "exports", exported);
  for (const args of [
    [...run, "--runtime", "embedded", "--json"],
    ["export", "--out", out],
  ])
    await promisify(execFile)(process.execPath, [program, "-C", folder, ...args], { maxBuffer: 1 << 26 });
  // A history that can be looked at where a run could not begin: that is said above it.
  const nowhere = { "exitMl.model.runtime": "ollama", "exitMl.model.endpoint": "http://127.0.0.1:1" };
  const window = await openFolder(folder, { vsix, settings: nowhere });
  await window.openContainer("ExIt ML");
  await expect.poll(() => window.view("History").message()).toContain("127.0.0.1:1");
  for (const theme of Object.keys(themes) as Theme[]) {
    await useTheme(window, folder, theme);
    await look(window, theme);
  }
});

async function look(window: Session, theme: Theme): Promise<void> {
  const history = window.view("History");
  await history.expand("digits-config");
  const [root, ...revisions] = await history.rows();
  expect(root).toMatchObject({ label: "digits-config", icon: "repo", expanded: true });
  expect(revisions.length).toBeGreaterThanOrEqual(2);
  for (const { icon, label } of revisions) {
    expect(label).not.toBe("");
    expect(icon).toMatch(/^(star-full|arrow-up|circle-outline|circle-slash|error)$/);
  }
  const changed = revisions.find(({ description }) => /\b(better|worse)\b/.test(description));
  if (changed === undefined) throw new Error("Every revision is a copy of the root, or failed.");

  await history.click(changed.label);
  const { original, modified } = await window.editors.difference();
  expect(original).not.toBe(modified);
  await window.screenshot(`${theme}-1-difference`);

  const training = window.view("Training");
  await training.expand("Exports");
  expect(await training.row(exported)).toMatchObject({ icon: "file-zip", level: 2 });

  await history.pick(changed.label, "Show Prompt and Reply");
  await window.editors.waitFor("prompt and reply");
  await window.screenshot(`${theme}-2-prompt-and-reply`);

  await window.run("ExIt ML: Iterate Solution");
  await window.quick.waitFor("Start, or change a line first");
  expect((await window.quick.choices()).map(({ label }) => label)).toEqual([
    "Start",
    "Budget",
    "Strategy",
    "Model",
  ]);
  await window.screenshot(`${theme}-3-iterate`);
  await window.quick.cancel();
  await window.run("View: Close All Editors");
}
