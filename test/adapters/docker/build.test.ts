/** "Build Sandbox Image" against the real engine, without any registry. */
import Docker from "dockerode";
import { expect, onTestFinished } from "vitest";
import { obtainImage } from "../../../src/adapters/docker/build.ts";
import { type TaskDefinition, taskSchema } from "../../../src/core/task.ts";
import { testWith } from "../../support/without.ts";

const it = testWith("docker");

const never = new AbortController().signal;

function taskWith(sandbox: object): TaskDefinition {
  return taskSchema.parse({
    ...{ name: "build", instruction: "Any.", solution: { files: ["a.py"] } },
    ...{ run: { command: ["true"], outputs: ["o.csv"] }, score: { command: ["true"] } },
    metric: { direction: "maximize", worst: 0, best: 1 },
    sandbox,
  });
}

it("builds the image a task describes, once, and says what it is doing", async () => {
  const task = taskWith({ build: { from: "exit-ml/python:local" } });
  const told: string[] = [];
  const made = await obtainImage(task, (text) => told.push(text), never);
  onTestFinished(async () => {
    await new Docker().getImage(made.image).remove();
  });
  expect(made.digest).toMatch(/^sha256:/);
  expect(told.join("\n")).toContain(made.image);
  told.length = 0;
  expect(await obtainImage(task, (text) => told.push(text), never)).toEqual(made);
  expect(told).toEqual([]);
});

it("names the image that is there already", async () => {
  const made = await obtainImage(taskWith({ image: "exit-ml/python:local" }), () => undefined, never);
  expect(made.image).toBe("exit-ml/python:local");
});

it("says what the engine said when a step of the build fails", async () => {
  const task = taskWith({ build: { from: "exit-ml/python:local", requirements: ["not a requirement"] } });
  const before = await nameless();
  onTestFinished(async () => {
    // The step before the failing one had made an image.
    const made = (await nameless()).filter((id) => !before.includes(id));
    for (const id of made) await new Docker().getImage(id).remove();
  });
  await expect(obtainImage(task, () => undefined, never)).rejects.toMatchObject({
    reason: "image-build-failed",
  });
});

/** Ids of images of ours without a name. */
async function nameless(): Promise<string[]> {
  const filters = { dangling: ["true"], label: ["exit-ml.recipe"] };
  return (await new Docker().listImages({ filters: JSON.stringify(filters) })).map((each) => each.Id);
}
