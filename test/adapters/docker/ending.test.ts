/** How trials end that do not end by themselves: abort, a dead process, an engine that is not there. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, vi } from "vitest";
import { testWith } from "../../support/without.ts";
import {
  docker,
  image,
  leftovers,
  makeBench,
  makeTask,
  owner,
  python,
  requestFor,
  useBench,
} from "./trial.ts";

const test = testWith("docker");

const bench = useBench();

/** Aborts as soon as the journal holds this many steps of that name. */
function abortAt(step: string): AbortSignal {
  const controller = new AbortController();
  const steps = bench.steps;
  const push = steps.push.bind(steps);
  steps.push = (...entries) => {
    if (entries.some((entry) => entry.endsWith(` ${step}`)))
      setImmediate(() => controller.abort(new Error(step)));
    return push(...entries);
  };
  return controller.signal;
}

describe("aborting", () => {
  test.each(["intent", "created", "started", "exited", "collected"])(
    "a run at %s rejects with the reason and leaves no container of it",
    async (step) => {
      const task = makeTask(bench.folder, { outputs: ["out.csv"] });
      const slow = step === "started" ? "import time; time.sleep(3600)" : "";
      const signal = abortAt(step);
      const running = bench.run(task, python(slow, 'open("out.csv", "w").write("1")'), signal);
      // Late in a run the abort may come when everything is done already.
      const outcome = await running.catch((error: unknown) => error);
      if (["intent", "created", "started"].includes(step)) expect(outcome).toEqual(new Error(step));
      await bench.sandbox.close();
      expect((await leftovers(bench.workspaceId)).containers).toEqual([]);
    },
  );

  test("an evaluation rejects with the reason and leaves neither container nor folder", async () => {
    const task = makeTask(bench.folder, { score: ["sleep", "3600"] });
    const ran = await bench.run(task, python('open("out.csv", "w").write("1")'));
    bench.steps.length = 0;
    const signal = abortAt("started");
    await expect(bench.evaluate(task, ran, signal)).rejects.toThrow("started");
    expect(readdirSync(join(bench.folder, "outputs", ".trials"))).toEqual([]);
    expect((await leftovers(bench.workspaceId)).containers.filter((name) => name.endsWith("-score"))).toEqual(
      [],
    );
  });
});

test("a command that ended in time has not met its limit because this process was asleep", async () => {
  const task = makeTask(bench.folder, { command: ["touch", "out.csv"], timeout: "8s" });
  const running = bench.run(task, []);
  await vi.waitUntil(() => bench.steps.some((step) => step.endsWith(" started")), { timeout: 60_000 });
  // As long as it lasts nothing of this process moves, and the limit passes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
  expect(await running).toMatchObject({ kind: "finished", evidence: { exitCode: 0, killedFor: null } });
});

describe("reaping", () => {
  test("removes what a dead process left, running or not, and only that", async () => {
    const mine = { "exit-ml.owner": owner, "exit-ml.workspace": bench.workspaceId, "exit-ml.run": "r" };
    const others = [
      { ...mine, "exit-ml.workspace": randomUUID() },
      { ...mine, "exit-ml.owner": randomUUID() },
    ];
    const leave = async (Labels: Record<string, string>) => {
      const volume = await docker.createVolume({ Name: `exit-ml-test-${randomUUID()}`, Labels });
      const container = await docker.createContainer({
        Image: image,
        Entrypoint: ["sleep", "600"],
        Labels,
        HostConfig: { NetworkMode: "none", Binds: [`${volume.name}:/work`] },
      });
      return { volume, container };
    };
    const running = await leave(mine);
    await running.container.start();
    await leave(mine);
    const foreign = await Promise.all(others.map(leave));
    mkdirSync(join(bench.folder, "outputs", ".trials", "old"), { recursive: true });
    try {
      expect(await bench.sandbox.reap()).toEqual({ containers: 2, volumes: 2 });
      expect(readdirSync(join(bench.folder, "outputs"))).toEqual([]);
      for (const { container, volume } of foreign) {
        await expect(container.inspect()).resolves.toBeTruthy();
        await expect(volume.inspect()).resolves.toBeTruthy();
      }
      expect(await bench.sandbox.reap()).toEqual({ containers: 0, volumes: 0 });
    } finally {
      for (const { container, volume } of foreign) {
        await container.remove({ force: true });
        await volume.remove();
      }
    }
  });

  test.each([
    ["its own leftovers", {}, "finished"],
    ["nothing of a stranger", { "exit-ml.owner": "somebody-else" }, "failed"],
  ])("before a trial removes %s under the trial's name", async (_, labels, kind) => {
    const request = requestFor(makeTask(bench.folder), python('open("out.csv", "w").write("1")'), "same");
    const names: string[] = [];
    const first = new AbortController();
    const solution = python("import time; time.sleep(3600)");
    const running = bench.sandbox.run({ ...request, solution }, first.signal);
    while (!names.some((name) => name.endsWith("-run")))
      names.push(...(await leftovers(bench.workspaceId)).containers);
    first.abort(new Error("over"));
    await expect(running).rejects.toThrow("over");

    const name = names.find((each) => each.endsWith("-run"))?.slice(1) ?? "";
    const Labels = { "exit-ml.owner": owner, "exit-ml.workspace": bench.workspaceId, ...labels };
    const there = await docker.createContainer({ name, Image: image, Entrypoint: ["true"], Labels });
    try {
      const outcome = await bench.sandbox.run(request, new AbortController().signal);
      expect(outcome.kind).toBe(kind);
      const survived = await there.inspect().then(
        () => "failed",
        () => "finished",
      );
      expect(survived).toBe(kind);
    } finally {
      await there.remove({ force: true }).catch(() => undefined);
    }
  });
});

describe("describing", () => {
  test("names engine, boundary and the image by its content", async () => {
    const info = await bench.sandbox.describe(makeTask(bench.folder));
    expect(info.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(info).toMatchObject({ image, warnings: [] });
    expect(info.boundary).not.toBe("");
  });

  test("says how to get an image that is missing", async () => {
    const task = makeTask(bench.folder, { sandbox: { image: "exit-ml/none:ever" } });
    await expect(bench.sandbox.describe(task)).rejects.toMatchObject({
      reason: "image-missing",
      message: expect.stringContaining("docker pull exit-ml/none:ever"),
    });
    await expect(bench.run(task, python(""))).rejects.toMatchObject({ reason: "image-missing" });
  });

  test("refuses a task that asks for a network", async () => {
    const task = makeTask(bench.folder, { sandbox: { network: "bridge" } });
    await expect(bench.sandbox.describe(task)).rejects.toMatchObject({ reason: "network-refused" });
    await expect(bench.run(task, python(""))).rejects.toMatchObject({ reason: "network-refused" });
  });

  test("refuses a runtime the engine does not have and names those it has", async () => {
    const task = makeTask(bench.folder, { sandbox: { runtime: "no-such-runtime" } });
    const refusal = { reason: "runtime-missing", message: expect.stringMatching(/"no-such-runtime".*runc/) };
    await expect(bench.sandbox.describe(task)).rejects.toMatchObject(refusal);
    await expect(bench.run(task, python(""))).rejects.toMatchObject(refusal);
  });

  test("shows the runtime a task chooses as its boundary", async () => {
    const chosen = await bench.sandbox.describe(makeTask(bench.folder, { sandbox: { runtime: "runc" } }));
    expect(chosen.boundary).toMatch(/^runc/);
  });

  test("says what to start when no engine answers, and finds it at the next call", async () => {
    const other = makeBench(join(bench.folder, "no.sock"));
    onTestFinished(() => rmSync(other.folder, { recursive: true }));
    await expect(other.sandbox.describe(makeTask(bench.folder))).rejects.toMatchObject({
      reason: "docker-unreachable",
      message: expect.stringContaining("ENOENT"),
    });
    await other.sandbox.close();
  });
});
