/** The small parts of runner and client that stand alone. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { runnerEnvironment } from "../../../src/client/environment.ts";
import { chooseNode, type Starter } from "../../../src/client/node-binary.ts";
import { watchIdle } from "../../../src/runner/idle.ts";
import { openLog } from "../../../src/runner/log.ts";

describe("the Node of the runner", () => {
  const old: Starter = { execPath: "/usr/bin/node", version: "20.19.0", electron: false, hasSqlite: false };
  const young: Starter = { ...old, version: "24.1.0", hasSqlite: true };
  const everywhere = (): boolean => true;
  const env = { EXIT_ML_NODE: "/opt/node", EXIT_ML_CACHE: "/cache" };

  test("is the setting, then the starter's own, then EXIT_ML_NODE, then the cached one", () => {
    expect(chooseNode("/set/node", env, young, everywhere).path).toBe("/set/node");
    expect(chooseNode(null, env, young, everywhere).path).toBe("/usr/bin/node");
    expect(chooseNode(null, env, old, everywhere).path).toBe("/opt/node");
    expect(chooseNode(null, { EXIT_ML_CACHE: "/cache" }, old, everywhere).path).toMatch(
      /^\/cache\/node24\/node_modules\/node-\w+-\w+\/bin\/node/,
    );
  });

  test("that is missing is asked for in a sentence", () => {
    const nowhere = (): boolean => false;
    expect(() => chooseNode(null, {}, old, nowhere)).toThrow(/Node 22\.13 or newer/);
    expect(() => chooseNode(null, env, old, nowhere)).toThrow(/EXIT_ML_NODE names \/opt\/node/);
  });

  test("inside an editor is told to be a Node, and never inherits the editor's environment", () => {
    const env = { PATH: "/bin", VSCODE_PID: "1", NODE_OPTIONS: "-r x", ELECTRON_RUN_AS_NODE: "1" };
    expect(runnerEnvironment(env, false, null)).toEqual({ PATH: "/bin" });
    expect(runnerEnvironment(env, true, null)).toEqual({ PATH: "/bin", ELECTRON_RUN_AS_NODE: "1" });
  });

  test("is told which Python trains where a setting names one, else what its starter's environment says", () => {
    const env = { PATH: "/bin", EXIT_ML_TRAINER_PYTHON: "/of/the/environment" };
    expect(runnerEnvironment(env, false, "/named")).toMatchObject({ EXIT_ML_TRAINER_PYTHON: "/named" });
    expect(runnerEnvironment(env, false, null)).toEqual(env);
  });
});

test("idle means: nobody there for a whole stretch, counted anew after each visit", () => {
  vi.useFakeTimers();
  try {
    let idle = false;
    const onIdle = vi.fn();
    const watch = watchIdle(100, () => idle, onIdle);
    vi.advanceTimersByTime(1_000);
    idle = true;
    watch.touch();
    vi.advanceTimersByTime(99);
    watch.touch();
    vi.advanceTimersByTime(99);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

test("the log keeps at most two files of bounded size", () => {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-log-"));
  const file = join(folder, "logs", "runner.log");
  const log = openLog(file, 1_000);
  for (let line = 0; line < 200; line++) log(`line ${line}`);
  expect(statSync(file).size).toBeLessThan(1_100);
  expect(statSync(`${file}.1`).size).toBeLessThan(1_100);
  expect(readFileSync(file, "utf8")).toContain("line 199");
  rmSync(folder, { recursive: true });
});

test("a log that cannot be written ends nothing", () => {
  expect(() => openLog("/dev/null/runner.log")("line")).not.toThrow();
});
