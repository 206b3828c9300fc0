/** What the History view says while there is nothing to show: each state names what is missing and the way on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { testWith } from "../support/without.ts";
import type { CodeServerOptions } from "./code-server.ts";
import { openFolder, openNoFolder, type Session } from "./session.ts";
import { copyOfExample, emptyFolder, vsix } from "./workspace.ts";

const it = testWith("editor");
const itWithEngine = testWith("editor", "docker");

/** No model is there, neither served nor as a file. */
function withoutModels(): { OLLAMA_HOST: string; EXIT_ML_CACHE: string } {
  const cache = mkdtempSync(join(tmpdir(), "exit-ml-no-cache-"));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  return { OLLAMA_HOST: "127.0.0.1:1", EXIT_ML_CACHE: cache };
}

async function open(folder: string | null, options: CodeServerOptions = {}): Promise<Session> {
  const all = { vsix, ...options };
  const window = folder === null ? await openNoFolder(all) : await openFolder(folder, all);
  await window.openContainer("ExIt ML");
  return window;
}

function useImage(folder: string, image: string): void {
  const file = join(folder, "exit.task.json");
  writeFileSync(file, readFileSync(file, "utf8").replace("exit-ml/python:local", image));
}

it("offers to open a folder where none is open", async () => {
  const window = await open(null);
  const said = await window.view("History").welcome("a local model proposes revisions");
  const training = await window.view("Training").welcome("from its own steps");
  await window.screenshot("no-folder");
  expect(training.buttons).toEqual(["Open Folder"]);
  expect(said.buttons).toEqual(["Open Folder"]);
  expect(await window.quick.commands("ExIt ML")).not.toContain("ExIt ML: Iterate Solution");
});

it("offers to set up a task where there is none, and starts no runner for that", async () => {
  const folder = emptyFolder();
  const window = await open(folder);
  const said = await window.view("History").welcome("No task yet");
  const training = await window.view("Training").welcome("there is no task yet");
  await window.screenshot("no-task");
  expect(training.buttons).toEqual(["Set Up Task"]);
  expect(said.buttons).toEqual(["Set Up Task"]);
  expect(existsSync(join(folder, ".exit"))).toBe(false);
});

it("tells of a broken task file, names the line in the log, and goes on once it is mended", async () => {
  const folder = copyOfExample("digits-config");
  const file = join(folder, "exit.task.json");
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, '{\n  "name": "digits-config",\n  "instruction" "Raise it."\n}\n');
  const window = await open(folder, { env: { DOCKER_HOST: "unix:///nonexistent/docker.sock" } });
  const history = window.view("History");
  const said = await history.welcome("cannot be used as it is");
  expect(said.buttons).toEqual(["Open Task File", "Look Again"]);
  await history.follow("log");
  await expect.poll(() => window.output("ExIt ML")).toMatch(/exit\.task\.json.*\b(line 3|3:)/s);
  await window.screenshot("broken-task");

  await history.follow("Open Task File");
  await window.editors.waitFor("exit.task.json");
  writeFileSync(file, whole);
  await history.welcome("No container engine answers");
});

it("tells that no container engine answers, and where it was looked for", async () => {
  const socket = "/nonexistent/docker.sock";
  const window = await open(copyOfExample("digits-config"), { env: { DOCKER_HOST: `unix://${socket}` } });
  const said = await window.view("History").welcome("No container engine answers");
  expect(said).toMatchObject({ buttons: ["Look Again"], links: ["log"] });
  await expect.poll(() => window.output("ExIt ML")).toContain(socket);
  await window.screenshot("no-engine");
});

itWithEngine("offers to build a sandbox image that is not there", async () => {
  const folder = copyOfExample("digits-config");
  useImage(folder, "exit-ml/none:none");
  const window = await open(folder);
  const said = await window.view("History").welcome("The sandbox image of the task is not there yet.");
  await window.screenshot("no-image");
  expect(said.buttons).toEqual(["Build Sandbox Image"]);
});

itWithEngine("tells that there is no model, and where models come from", async () => {
  const window = await open(copyOfExample("digits-config"), { env: withoutModels() });
  const said = await window.view("History").welcome("No model is there yet.");
  await window.screenshot("no-model");
  expect(said).toMatchObject({ buttons: ["Select Model", "Look Again"], links: ["Ollama", "log"] });
});
