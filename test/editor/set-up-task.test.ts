/** A task file from nothing: by questions, or by hand with the editor's help. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { testWith } from "../support/without.ts";
import { openFolder } from "./session.ts";
import { copyOfExample, emptyFolder, vsix } from "./workspace.ts";

const it = testWith("editor");

/** Enough for a task, and nothing else: the view says that the engine is missing, as fast on every machine. */
const env = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };

function folderWithSolution(): string {
  const folder = emptyFolder();
  mkdirSync(join(folder, "solution"));
  writeFileSync(join(folder, "solution", "train.py"), 'open("guess.txt", "w").write("0.5")\n');
  writeFileSync(join(folder, "score.py"), 'print(f\'{{"score": {open("guess.txt").read()}}}\')\n');
  return folder;
}

/** Question, what the box holds then, and the answer; null: what it holds. */
const questions: readonly [question: string, initial: string | RegExp, answer: string | null][] = [
  ["Name of the task", /^exit-ml-folder-/, "guess"],
  ["What should be improved, and under which rules", "", "Write a better guess."],
  ["Files that may change (globs)", "solution/**", null],
  ["Command that runs the solution", "python3 solution/train.py", null],
  ["Data the solution may read (empty: none)", "", ""],
  ["Files it leaves for scoring (empty: none)", "", "guess.txt"],
  ['Command that prints {"score": number} (empty: none)', "", "python3 score.py"],
  ["Files only that command may see (empty: none)", "", "score.py"],
  ["Name of the metric", "score", "accuracy"],
  ["Score that is worth nothing", "0", null],
  ["Score that cannot be bettered", "1", null],
  ["Sandbox image", "python:3.12-slim", "exit-ml/python:local"],
];

it("writes the task file out of the answers and opens it; the view goes on by itself", async () => {
  const folder = folderWithSolution();
  const window = await openFolder(folder, { vsix, env });
  const history = window.view("History");
  await window.openContainer("ExIt ML");
  await history.welcome("No task yet");
  await history.follow("Set Up Task");
  for (const [question, initial, answer] of questions) {
    await window.quick.waitFor(question);
    const offered = await window.quick.value();
    expect(offered).toMatch(initial);
    await window.quick.enter(question, answer ?? offered);
  }
  await window.editors.waitFor("exit.task.json");
  await history.welcome("No container engine answers");
  await window.screenshot("set-up");
  const text = readFileSync(join(folder, "exit.task.json"), "utf8");
  expect(await window.editors.text()).toContain('"guess"');
  expect(JSON.parse(text.replace(/^\s*\/\/.*$/gm, ""))).toMatchObject({
    name: "guess",
    instruction: "Write a better guess.",
    solution: { files: ["solution/**"] },
    run: { command: ["python3", "solution/train.py"], outputs: ["guess.txt"] },
    score: { command: ["python3", "score.py"], hidden: ["score.py"] },
    metric: { name: "accuracy", direction: "maximize", worst: 0, best: 1 },
    sandbox: { image: "exit-ml/python:local" },
  });
  expect(await window.notifications.all()).toEqual([]);
});

it("writes nothing where the questions are left in the middle", async () => {
  const folder = folderWithSolution();
  const window = await openFolder(folder, { vsix, env });
  await window.openContainer("ExIt ML");
  await window.view("History").welcome("No task yet");
  await window.run("ExIt ML: Set Up Task");
  for (const [question, , answer] of questions.slice(0, 3)) {
    await window.quick.waitFor(question);
    await window.quick.enter(question, answer ?? (await window.quick.value()));
  }
  await window.quick.waitFor("Command that runs the solution");
  await window.quick.cancel();
  await window.view("History").welcome("No task yet");
  expect(await window.notifications.all()).toEqual([]);
  expect(existsSync(join(folder, "exit.task.json"))).toBe(false);
  expect(existsSync(join(folder, ".exit"))).toBe(false);
});

it("underlines a misspelled key of a task file, and takes comments as they are", async () => {
  const folder = copyOfExample("digits-config");
  const file = join(folder, "exit.task.json");
  writeFileSync(file, readFileSync(file, "utf8").replace('"baseline":', '"baselime":'));
  const window = await openFolder(folder, { vsix, env });
  await window.quick.openFile("exit.task.json");
  await window.editors.waitFor("exit.task.json");
  await window.run("Problems: Focus on Problems View");
  const problems = window.page.locator(".markers-panel .monaco-list-row:not([aria-expanded])");
  await problems.first().waitFor();
  await window.screenshot("misspelled");
  const told = await problems.allInnerTexts();
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("baselime");
});
