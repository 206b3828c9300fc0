/** An engine that fails: its failures are never held against the revision, and nothing waits for ever. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { testWith } from "../../support/without.ts";
import { type FaultyEngine, startFaultyEngine } from "./faulty-engine.ts";
import { type Bench, docker, failure, finished, leftovers, makeBench, makeTask, python } from "./trial.ts";

const test = testWith("docker");

let folder: string;
let engine: FaultyEngine;
let bench: Bench;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-faults-"));
  engine = await startFaultyEngine(join(folder, "engine.sock"));
  bench = makeBench(engine.socket);
});

afterEach(async () => {
  engine.spoil(() => "none");
  await bench.sandbox.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
  rmSync(bench.folder, { recursive: true, force: true });
  expect(await leftovers(bench.workspaceId)).toEqual({ containers: [], volumes: [] });
});

const writesOutput = python('open("out.csv", "w").write("0.5")', 'print("done")');

function attempts(): number {
  return bench.steps.filter((step) => step.endsWith(" intent")).length;
}

test("an engine whose wait call never returns still tells how the run ended", async () => {
  engine.spoil((_, path) => (path.endsWith("/wait") ? "hang" : "none"));
  const ran = finished(await bench.run(makeTask(bench.folder), writesOutput));
  expect(ran).toMatchObject({ files: ["out.csv"], evidence: { exitCode: 0, stdout: "done\n" } });
});

test("an engine that falls silent while a revision runs is reported, and not asked to do it again", async () => {
  const task = makeTask(bench.folder, { timeout: "10m" });
  const running = bench.run(task, python("import time; time.sleep(3600)"));
  while (!bench.steps.some((step) => step.endsWith(" started"))) await tick();
  engine.spoil(() => "hang");
  await expect(running).rejects.toMatchObject({ reason: "docker-unreachable" });
  expect(attempts()).toBe(1);
});

test("an engine that is silent from the start is reported instead of waited for", async () => {
  await bench.sandbox.describe(makeTask(bench.folder));
  engine.spoil(() => "hang");
  const running = bench.run(makeTask(bench.folder), writesOutput);
  await expect(running).rejects.toMatchObject({ reason: "docker-unreachable" });
});

test("output lost with its connection makes the run be done again", async () => {
  let cut = false;
  engine.spoil((_, path) => {
    if (cut || !path.endsWith("/attach")) return "none";
    cut = true;
    return "cut";
  });
  const ran = finished(await bench.run(makeTask(bench.folder), writesOutput));
  expect(ran.evidence.stdout).toBe("done\n");
  expect(attempts()).toBe(2);
});

test("whoever stops the container, what it made of that is not its result", async () => {
  const saves = python(
    "import signal, sys, time",
    "def save(*_):",
    '    open("out.csv", "w").write("0.1")',
    "    sys.exit(0)",
    "signal.signal(signal.SIGTERM, save)",
    'print("ready", flush=True)',
    "time.sleep(10)",
    'open("out.csv", "w").write("0.5")',
  );
  const running = bench.run(makeTask(bench.folder), saves);
  const name = await runningContainer();
  const printed = async (): Promise<string> => String(await docker.getContainer(name).logs({ stdout: true }));
  while (!(await printed()).includes("ready")) await tick();
  await docker.getContainer(name).stop();
  expect(finished(await running).files).toEqual(["out.csv"]);
  expect(attempts()).toBe(2);
});

test("a container removed by someone else is no crash of the revision", async () => {
  const task = makeTask(bench.folder, { timeout: "15s" });
  const running = bench.run(task, python("import time; time.sleep(3600)"));
  await docker.getContainer(await runningContainer()).remove({ force: true });
  expect(failure(await running).verdict).toBe("timeout");
  expect(attempts()).toBe(2);
});

test("a working directory whose holder is gone is no fault of the revision", async () => {
  const task = makeTask(bench.folder);
  let removed = false;
  engine.spoil((_, path) => {
    if (path.endsWith("/start") && !removed && bench.steps.some((step) => step.endsWith(" created"))) {
      removed = true;
      void removeHolder();
    }
    return "none";
  });
  const waiting = python("import time; time.sleep(10); raise SystemExit(9)");
  const ran = failure(await bench.run(task, waiting));
  expect(ran).toMatchObject({ verdict: "crash", evidence: { exitCode: 9 } });
  expect(attempts()).toBe(2);
});

/** Name of the revision's container, once it runs. */
async function runningContainer(): Promise<string> {
  while (!bench.steps.some((step) => step.endsWith(" started"))) await tick();
  const { containers } = await leftovers(bench.workspaceId);
  return (containers.find((each) => each.endsWith("-run")) ?? "").slice(1);
}

async function removeHolder(): Promise<void> {
  const { containers } = await leftovers(bench.workspaceId);
  const name = containers.find((each) => each.startsWith("/exit-ml-holder-")) ?? "";
  await docker.getContainer(name.slice(1)).remove({ force: true });
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
