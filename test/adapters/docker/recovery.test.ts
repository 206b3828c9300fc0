/** After a process died: what it had started is taken over, what it had finished is not done again. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { createDockerSandbox } from "../../../src/adapters/docker/sandbox.ts";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import type { RunRequest, Sandbox, Store } from "../../../src/core/ports.ts";
import { testWith } from "../../support/without.ts";
import { docker, failure, finished, leftovers, makeTask, never, owner, python, requestFor } from "./trial.ts";

const test = testWith("docker");

let workspaceId: string;
let folder: string;
let store: Store | null;
let sandbox: Sandbox;
let steps: string[];

beforeEach(() => {
  workspaceId = randomUUID();
  folder = mkdtempSync(join(tmpdir(), "exit-ml-recovery-"));
  store = null;
  steps = [];
});

afterEach(async () => {
  await sandbox.close();
  store?.close();
  rmSync(folder, { recursive: true, force: true });
  expect(await leftovers(workspaceId)).toEqual({ containers: [], volumes: [] });
});

/** A process that runs `program` as trial "trial" and is killed when it has recorded `step`. */
async function dieAt(step: string, program: string): Promise<void> {
  const script = join(import.meta.dirname, "dying.ts");
  const child = spawn(process.execPath, ["--no-warnings", script, workspaceId, folder, step, program], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [, signal] = await once(child, "exit");
  expect(signal).toBe("SIGKILL");
}

/** The next process of the workspace. */
async function next(): Promise<{ kept: number }> {
  const opened = openStore(join(folder, "history.db"));
  store = opened;
  sandbox = createDockerSandbox({
    ...{ workspaceId, owner },
    outputsFolder: join(folder, "outputs"),
    journal: {
      ...opened.journal,
      record(key, step, data) {
        opened.journal.record(key, step, data);
        steps.push(step);
      },
    },
  });
  return sandbox.recover();
}

function requestOf(program: string, change: Partial<RunRequest> = {}, timeout = "30s"): RunRequest {
  return { ...requestFor(makeTask(folder, { timeout }), python(program), "trial"), ...change };
}

/** Prints a number of its own; nothing but taking a run over can print the same one again. */
const program = [
  "import os, time",
  'print("token", os.urandom(8).hex(), flush=True)',
  "time.sleep(2)",
  'open("out.csv", "w").write("0.5")',
  'print("done")',
].join("\n");

function recordedToken(): unknown {
  const collected = store?.journal.steps("trial").find(({ step }) => step === "collected");
  return (collected?.data.evidence as { stdout: string } | undefined)?.stdout;
}

describe("a trial that is asked for again", () => {
  test.each(["intent", "created"])("is begun anew if it had come to %s", async (step) => {
    await dieAt(step, program);
    expect((await next()).kept).toBe(0);
    const ran = finished(await sandbox.run(requestOf(program), never));
    expect(ran).toMatchObject({ files: ["out.csv"], evidence: { exitCode: 0 } });
    expect(steps).toContain("started");
  });

  test.each(["started", "exited"])("is taken over with all it printed if it had %s", async (step) => {
    await dieAt(step, program);
    expect((await next()).kept).toBe(1);
    const ran = finished(await sandbox.run(requestOf(program), never));
    expect(ran).toMatchObject({ files: ["out.csv"], evidence: { exitCode: 0, killedFor: null } });
    expect(ran.evidence.stdout).toMatch(/^token [0-9a-f]{16}\ndone\n$/);
    expect(ran.evidence.ms).toBeGreaterThanOrEqual(2000);
    expect(ran.evidence.ms).toBeLessThan(30_000);
    expect(steps).toContain("taken-over");
    expect(steps).not.toContain("started");
  });

  test("keeps its outputs if they had been collected, and is evaluated", async () => {
    await dieAt("collected", program);
    await next();
    const before = recordedToken();
    const request = requestOf(program);
    const ran = await sandbox.run(request, never);
    expect(finished(ran)).toMatchObject({ files: ["out.csv"], evidence: { stdout: before } });
    expect(steps).toEqual(["intent"]);
    if (ran.kind === "finished")
      expect(await sandbox.evaluate(request, ran.outputs, never)).toMatchObject({
        kind: "printed",
        stdout: '{"score": 0.5}\n',
      });
  });

  test("is begun anew if its collected outputs are not what they were", async () => {
    await dieAt("collected", program);
    await next();
    writeFileSync(join(folder, "outputs", "trial", "out.csv"), "0.9");
    const ran = finished(await sandbox.run(requestOf(program), never));
    expect(ran.evidence.stdout).not.toBe("");
    expect(steps).toContain("started");
  });

  test.each<[string, (request: RunRequest) => RunRequest]>([
    ["solution", (request) => ({ ...request, solution: python(`${program}\n`) })],
    ["seed", (request) => ({ ...request, seed: 8 })],
    ["time limit", () => requestOf(program, {}, "40s")],
  ])("is begun anew with another %s", async (_, changed) => {
    await dieAt("started", program);
    expect((await next()).kept).toBe(1);
    finished(await sandbox.run(changed(requestOf(program)), never));
    expect(steps).toContain("started");
    expect(steps).not.toContain("taken-over");
  });

  test("is begun anew if it was killed, whose reason nobody knows any more", async () => {
    const long = program.replace("sleep(2)", "sleep(10)");
    await dieAt("started", long);
    const [container] = (await leftovers(workspaceId)).containers.filter((name) => name.endsWith("-run"));
    await docker.getContainer(container?.slice(1) ?? "").kill();
    await next();
    finished(await sandbox.run(requestOf(long), never));
    expect(steps).toContain("started");
  });

  test("meets its time limit when it was taken over, too", async () => {
    const endless = "import time; time.sleep(3600)";
    await dieAt("started", endless);
    await next();
    const ran = failure(await sandbox.run(requestOf(endless), never));
    expect(ran).toMatchObject({ verdict: "timeout", evidence: { killedFor: "deadline" } });
    expect(steps).toContain("taken-over");
  }, 60_000);

  test("is begun anew if the engine's log may have lost what it printed", async () => {
    const chatty = `import time; print("x" * 5000000); ${'open("out.csv", "w").write("1")'}`;
    await dieAt("exited", chatty);
    await next();
    const ran = finished(await sandbox.run(requestOf(chatty), never));
    expect(ran.evidence.stdout).toContain("bytes left out");
    expect(steps.filter((step) => step === "taken-over" || step === "started")).toEqual([
      "taken-over",
      "started",
    ]);
  });
});

describe("what nobody asks for", () => {
  test("is removed when the next process ends", async () => {
    await dieAt("started", program);
    expect((await next()).kept).toBe(1);
  });

  test("and was never started is removed at once", async () => {
    await dieAt("created", program);
    await next();
    const { containers, volumes } = await leftovers(workspaceId);
    expect([...containers, ...volumes]).toEqual([]);
  });

  test("is found by its name where the engine was broken off before it gave it labels", async () => {
    await dieAt("created", program);
    const named = (await leftovers(workspaceId)).volumes.find((name) => name.includes("scratch")) ?? "";
    const Name = named.replace(/[0-9a-f-]{36}$/, randomUUID());
    await docker.createVolume({ Name });
    await next();
    await expect(docker.getVolume(Name).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });
});
