/** Bootstrap from the side bar: begun, stopped and gone on with, in the packed extension. */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { testWith } from "../support/without.ts";
import { openFolder } from "./session.ts";
import { emptyFolder, vsix } from "./workspace.ts";

const it = testWith("editor", "docker", "model");

const repository = join(import.meta.dirname, "..", "..");

/** One task of the family to search, one to prove on. */
function twoTasks(): string {
  const folder = emptyFolder();
  execFileSync("python3", [join(repository, "examples", "family", "make.py"), folder]);
  for (const name of readdirSync(join(folder, "tasks")))
    if (!["apples", "bearings"].includes(name)) rmSync(join(folder, "tasks", name), { recursive: true });
  return folder;
}

it("begins rounds, stops them, and goes on with the unfinished ones", async () => {
  const window = await openFolder(twoTasks(), {
    vsix,
    settings: {
      "exitMl.model.runtime": "embedded",
      "exitMl.run.groupSize": 4,
      "exitMl.run.maxReplyTokens": 80,
    },
  });
  const { quick, notifications } = window;
  const view = window.view("Training");
  await window.openContainer("ExIt ML");
  const long = { timeout: 300_000, interval: 500 };
  const first = () => view.rows().then(([row]) => `${row?.label}: ${row?.description}`);
  const round = () => view.row("round 1").then(({ description }) => description);
  const nodes = async (): Promise<number> => (await window.view("History").rows()).length;

  await view.welcome("A model learns from iterations");
  await view.follow("Bootstrap");
  await quick.choose("How long all rounds may take", "1 hour");
  await quick.choose("Rounds at most", "1 round");
  await expect.poll(first, long).toMatch(/^Bootstrap: \S/);
  expect((await view.row("Bootstrap")).icon).toBe("loading");
  await expect.poll(round, long).toMatch(/^collecting/);
  expect((await view.row("b1")).description).toBe("1 round · 0 promoted · under way");
  // The root of the searched task, and iterations under way.
  await expect.poll(nodes, long).toBeGreaterThan(1);
  await expect.poll(first, long).toMatch(/^Bootstrap: iteration \d+$/);
  await window.screenshot("1-collecting");

  await window.run("ExIt ML: Stop");
  const ended = await notifications.waitFor("Bootstrap was stopped.");
  expect(ended).toMatchObject({ kind: "info", buttons: ["Show Training"] });
  await notifications.clear();
  const state = () => view.row("b1").then(({ description }) => description);
  await expect.poll(state).toBe("1 round · 0 promoted · interrupted: Bootstrap goes on with it");
  await expect.poll(view.message).toBe("");
  await window.screenshot("2-stopped");

  const found = await nodes();
  await window.run("ExIt ML: Bootstrap");
  await quick.waitFor("Bootstrap");
  const [goOn, anew] = await quick.choices();
  expect(goOn?.label).toBe("Go on with the unfinished one");
  expect(goOn?.description).toMatch(/^b1, 1 round, .+ of 1 hour$/);
  expect(anew?.label).toBe("Begin a new one");
  await window.screenshot("3-go-on");
  await quick.choose("Bootstrap", "Go on with the unfinished one");
  await expect.poll(state, long).toBe("1 round · 0 promoted · under way");
  await expect.poll(nodes, long).toBeGreaterThan(found);

  await window.run("ExIt ML: Stop");
  await notifications.waitFor("Bootstrap was stopped.");
  const bootstraps = (await view.rows()).filter(({ label }) => /^b\d+$/.test(label));
  expect(bootstraps).toHaveLength(1);
  expect(window.errors.filter((text) => /exit-ml|exitMl/i.test(text))).toEqual([]);
});
