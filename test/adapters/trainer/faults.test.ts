/** What a child process can do wrong, by fake Pythons: shell scripts in its place. */
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processesOf } from "../../../scripts/test/leftovers.mjs";
import { withLock } from "../../../src/adapters/leases/lock.ts";
import { createTrainer } from "../../../src/adapters/trainer/trainer.ts";
import type { Trainer } from "../../../src/core/tuning/ports.ts";
import { stageIn, trainerPackage } from "./parts.ts";

const never = new AbortController().signal;
const deaf = () => {};

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-fake-python-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function withFakePython(script: string): Trainer {
  const python = join(folder, "fake-python");
  writeFileSync(python, `#!/bin/sh\n${script}\n`);
  chmodSync(python, 0o755);
  return createTrainer({ package: trainerPackage, cache: folder, python, withLock });
}

const doctorSays = `echo '{"event": "doctor", "text": "fine"}'`;
const logFile = () => join(folder, "logs", "trainer.log");

test("what is no event is kept in a log and does no harm", async () => {
  const trainer = withFakePython(`echo rubbish; echo '{"event": 1}'; echo '[]'; echo oh >&2; ${doctorSays}`);
  expect(await trainer.doctor("cpu", never)).toEqual({ event: "doctor", text: "fine" });
  for (const line of ["rubbish", '{"event": 1}', "[]", "oh"])
    expect(readFileSync(logFile(), "utf8").split("\n")).toContain(line);
});

test("a trainer that breaks is an error with its last words and where all of them are", async () => {
  const trainer = withFakePython("seq 1 2000 >&2; echo 'ValueError: odd' >&2; exit 3");
  const broken = trainer.train(stageIn(folder), deaf, never);
  await expect(broken).rejects.toMatchObject({
    reason: "trainer-failed",
    message: expect.stringMatching(/exit code 3\. .*ValueError: odd.*stage\/trainer\.log/s),
  });
  await expect(broken).rejects.not.toThrow("\n7\n");
  expect(readFileSync(join(folder, "stage", "trainer.log"), "utf8")).toContain("\n7\n");
});

test("a trainer that was killed is said to have had too little memory", async () => {
  await expect(withFakePython("kill -9 $$").doctor("cpu", never)).rejects.toThrow("ran out of memory");
});

test("a refusal is an error of its own reason, however the process ends", async () => {
  const refuse = `echo '{"event": "refused", "reason": "device", "text": "No GPU here."}'`;
  for (const status of [1, 0])
    await expect(withFakePython(`${refuse}; exit ${status}`).doctor("cuda", never)).rejects.toMatchObject({
      reason: "trainer-device",
      message: "No GPU here.",
    });
});

test("an end without a result that can be read is an error", async () => {
  await expect(withFakePython("exit 0").doctor("cpu", never)).rejects.toMatchObject({
    reason: "trainer-failed",
  });
  const half = withFakePython(`echo '{"event": "merged", "text": "", "bytes": "many"}'`);
  await expect(
    half.merge({ model: "m", adapter: "a", file: join(folder, "f"), name: "n", form: "merged" }, deaf, never),
  ).rejects.toMatchObject({ reason: "trainer-failed", message: expect.stringContaining("another version") });
});

test("a Python that cannot be started, or lacks the packages, is named", async () => {
  const none = createTrainer({
    package: trainerPackage,
    cache: folder,
    python: join(folder, "none"),
    withLock,
  });
  await expect(none.doctor("cpu", never)).rejects.toMatchObject({ reason: "trainer-environment" });
  await expect(none.prepare(deaf, never)).rejects.toMatchObject({ reason: "trainer-environment" });
  const bare = withFakePython("echo 'ModuleNotFoundError: torch' >&2; exit 1");
  await expect(bare.prepare(deaf, never)).rejects.toMatchObject({
    reason: "trainer-environment",
    message: expect.stringMatching(/fake-python.*-m pip install.*ModuleNotFoundError: torch/s),
  });
});

test("a trainer that does not heed SIGTERM is killed with all it started", async () => {
  const trainer = withFakePython(
    `trap '' TERM; sh -c 'while :; do sleep 1; done' ${folder} & echo '{"event": "loading", "text": ""}'; wait`,
  );
  const cancel = new AbortController();
  const training = trainer.train(stageIn(folder), () => cancel.abort(new Error("enough")), cancel.signal);
  await expect(training).rejects.toThrow("enough");
  expect(processesOf({ mark: "none of these", folder })).toEqual([]);
});

test("nothing is started once it is cancelled", async () => {
  const trainer = withFakePython("exit 3");
  await expect(trainer.doctor("cpu", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});

test("what is meant for other programs is not in its environment", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    NODE_OPTIONS: "--x",
    VSCODE_PID: "1",
    PYTHONHOME: "/x",
    RANK: "3",
    KEPT: "yes",
  });
  try {
    await withFakePython(`env >&2; ${doctorSays}`).doctor("cpu", never);
  } finally {
    for (const name of ["NODE_OPTIONS", "VSCODE_PID", "PYTHONHOME", "RANK", "KEPT"]) delete process.env[name];
    Object.assign(process.env, before);
  }
  const seen = readFileSync(logFile(), "utf8");
  expect(seen).toMatch(/^KEPT=yes$/m);
  expect(seen).toMatch(/^PYTHONUNBUFFERED=1$/m);
  expect(seen).not.toMatch(/^(NODE_OPTIONS|VSCODE_PID|PYTHONHOME|RANK)=/m);
});
