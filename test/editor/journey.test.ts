/** The main job as a user does it, in the packed extension: from the palette to the revision in the workspace. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { openOllamaServer } from "../support/ollama.ts";
import { testWith } from "../support/without.ts";
import { openFolder } from "./session.ts";
import { copyOfExample, runnerPid, vsix } from "./workspace.ts";

const it = testWith("editor", "docker", "ollama");

const item = "exit-ml.exit-ml.exitMl.run";

it("iterates a solution, survives a reload, shows, applies, reverts and exports", async () => {
  const ollama = await openOllamaServer();
  onTestFinished(() => ollama.stop());
  const folder = copyOfExample("digits-config");
  const solution = join(folder, "solution", "config.json");
  const before = readFileSync(solution);
  const window = await openFolder(folder, {
    vsix,
    env: { OLLAMA_HOST: ollama.host },
    settings: { "exitMl.run.maxReplyTokens": 200 },
  });
  const { quick, notifications, editors } = window;
  const history = window.view("History");
  await window.openContainer("ExIt ML");
  expect((await history.welcome("Everything is ready")).buttons).toEqual(["Iterate Solution"]);
  const untrained = await window.view("Training").welcome("and there are none yet.");
  expect(untrained.buttons).toEqual(["Iterate Solution"]);
  await window.screenshot("1-ready");

  await window.run("ExIt ML: Select Model");
  await quick.waitFor("The model that proposes the revisions");
  const models = await quick.choices();
  expect(models).toContainEqual(
    expect.objectContaining({ label: ollama.model, description: expect.stringMatching(/Q4_1 · \d+ MB/) }),
  );
  await window.screenshot("2-models");
  await quick.choose("The model that proposes the revisions", ollama.model);

  await window.run("ExIt ML: Iterate Solution");
  await quick.choose("Iterate Solution", "Budget");
  await quick.choose("Budget", "Other number of iterations…");
  await quick.enter("Iterations (Press", "none");
  await quick.enter("It must be a whole number above 0.", "3");
  await quick.waitFor("Start, or change a line first");
  expect(await quick.choices()).toContainEqual(
    expect.objectContaining({ label: "Budget", description: "3 iterations" }),
  );
  await window.screenshot("3-iterate");
  await quick.choose("Iterate Solution", "Start");

  await history.row("digits-config");
  await history.row("iteration 1: improve");
  await window.screenshot("4-running");
  expect((await window.statusItem(item)).spoken).toContain("ExIt ML run: 0 of 3");
  const runner = runnerPid(folder);

  await window.reload();
  await window.openContainer("ExIt ML");
  await expect.poll(async () => (await window.statusItem(item)).spoken).toContain("of 3");
  expect(runnerPid(folder)).toBe(runner);
  await window.screenshot("5-found-again");

  await expect
    .poll(async () => (await notifications.all()).map(({ text }) => text), {
      timeout: 600_000,
      interval: 3_000,
    })
    .toContainEqual(expect.stringContaining("Its iterations are done."));
  await notifications.clear();
  await window.run("ExIt ML: Show Best Revision");
  const rows = await history.rows();
  await window.screenshot("6-done");
  expect(rows.length).toBeGreaterThan(3);
  expect(rows.filter(({ description }) => description.includes("★ best")).length).toBeLessThanOrEqual(1);
  for (const { label, description } of rows.slice(1)) {
    expect(label).not.toBe("");
    expect(description).toMatch(/improve|diverge|debug|solve/);
  }

  const revision = rows.find(({ description }) => /★ best|better|worse/.test(description));
  if (revision === undefined) throw new Error("every revision is a copy of the root");
  await history.click(revision.label);
  const sides = await editors.difference();
  expect(sides.original).not.toBe(sides.modified);
  await window.screenshot("7-diff");

  await history.pick(revision.label, "Show Prompt and Reply");
  await editors.waitFor("prompt and reply");
  expect(await editors.text()).toContain("verdict");
  await window.screenshot("8-prompt-and-reply");

  await history.pick(revision.label, "Apply Revision");
  const applied = await notifications.waitFor("Applied");
  expect(applied.text).toContain("solution/config.json");
  expect(readFileSync(solution)).not.toEqual(before);
  await window.screenshot("9-applied");
  await notifications.clear();
  await window.run("ExIt ML: Revert Apply");
  await notifications.waitFor("Took back");
  expect(readFileSync(solution)).toEqual(before);

  await notifications.clear();
  await window.run("ExIt ML: Export Training Data");
  await quick.choose("Export Training Data", "ExIt ML");
  await quick.choose("Export Training Data", "A new folder in .exit/exports");
  expect((await notifications.waitFor("Wrote")).text).toMatch(/Wrote \d+ of 3 groups/);
  const [exported = ""] = readdirSync(join(folder, ".exit", "exports"));
  expect(existsSync(join(folder, ".exit", "exports", exported, "groups.jsonl"))).toBe(true);
  await window.view("Training").expand("Exports");
  await window.view("Training").click(exported);
  await editors.waitFor("README.md");
  await window.screenshot("10-exported");
  expect(window.errors.filter((text) => /exit-ml|exitMl/i.test(text))).toEqual([]);
});
