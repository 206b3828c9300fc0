/** Process 1 of the sandbox's containers, tried on this machine: `test/hostile` tries it in containers. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sourceDigest } from "../../../src/adapters/docker/warden/programs.ts";
import { placeWarden, processorOf } from "../../../src/adapters/docker/warden/warden.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-warden-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

test("the programs were made from the source as it stands", () => {
  const source = readFileSync(new URL("../../../src/adapters/docker/warden/warden.c", import.meta.url));
  expect(createHash("sha256").update(source).digest("hex")).toBe(sourceDigest);
});

test("it is put in place once, and again if it is gone or spoilt", async () => {
  const file = await placeWarden(folder, "aarch64");
  const { ino, mode } = statSync(file);
  expect(mode & 0o777).toBe(0o555);
  expect(await placeWarden(folder, "aarch64")).toBe(file);
  expect(statSync(file).ino).toBe(ino);
  const good = readFileSync(file);
  chmodSync(file, 0o755);
  writeFileSync(file, "spoilt");
  await placeWarden(folder, "aarch64");
  expect(readFileSync(file).equals(good)).toBe(true);
});

const machine =
  process.platform === "linux"
    ? processorOf(execFileSync("uname", ["-m"], { encoding: "utf8" }).trim())
    : null;

describe.runIf(machine !== null)("on this machine", () => {
  async function watched(seconds: string, command: readonly string[], env = process.env) {
    if (machine === null) throw new Error("not on this machine");
    const file = await placeWarden(folder, machine);
    return spawnSync(file, [seconds, ...command], { encoding: "utf8", env });
  }

  test.each([
    ["its exit code", ["sh", "-c", "exit 7"], 7],
    ["128 and the signal that ended it", ["sh", "-c", "kill -9 $$"], 137],
    ["127 if it is not there", ["no-such-command"], 127],
    ["127 if its path leads nowhere", ["/no/such/command"], 127],
    ["126 if it cannot be executed", ["/etc/passwd"], 126],
    ["126 if it is a folder", ["/etc"], 126],
  ])("it ends with the command and with %s", async (_, command, code) => {
    expect((await watched("60", command)).status).toBe(code);
  });

  test("it ends with 124 when the time is over, even at once", async () => {
    if (machine === null) throw new Error("not on this machine");
    const file = await placeWarden(folder, machine);
    const group = spawn(file, ["0", "sleep", "600"], { detached: true, stdio: "ignore" });
    const [code] = await once(group, "exit");
    expect(code).toBe(124);
    // Here it is no process 1, so what it started has to be ended by hand.
    try {
      process.kill(-(group.pid ?? Number.NaN), "SIGKILL");
    } catch (error) {
      // It had not come into being yet.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  });

  test("a command is found as a shell would find it: the first that may be executed", async () => {
    const [first, second] = ["first", "second"].map((name) => join(folder, name));
    for (const [path, mode] of [
      [first, 0o644],
      [second, 0o755],
    ] as const) {
      execFileSync("mkdir", [path ?? ""]);
      writeFileSync(join(path ?? "", "tool"), "#!/bin/sh\necho $0 $1\n", { mode });
    }
    const env = { PATH: `/etc/passwd:${first}::${second}` };
    expect((await watched("60", ["tool", "a b"], env)).stdout).toBe(`${second}/tool a b\n`);
  });

  test("a command starts with no signal blocked, and its arguments, channels and environment as they are", async () => {
    const script =
      'import os, signal, sys; print(signal.pthread_sigmask(0, []), sys.argv[1:], os.environ["A"])';
    const { stdout } = await watched("60", ["python3", "-c", script, "", "x y"], { ...process.env, A: "1" });
    expect(stdout).toBe("set() ['', 'x y'] 1\n");
  });
});
