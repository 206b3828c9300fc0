/** Installing the embedded runtime: it comes whole from npm, or nothing of it stays. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, it, onTestFinished, test, vi } from "vitest";
import { installRuntime } from "../../../src/adapters/embedded/install.ts";
import runtimePackage from "../../../src/adapters/embedded/runtime-package.json" with { type: "json" };

const unaborted = new AbortController().signal;
// Elsewhere npm is a batch file, and there is no /proc.
const onLinux = process.platform === "linux" ? it : test.skip;

function temporary(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-install-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An npm in PATH, before any other, that says something and fails. */
function fakeFailingNpm(home: string): void {
  const bin = join(home, "fake-failing-npm");
  mkdirSync(bin);
  writeFileSync(join(bin, "npm"), "#!/bin/sh\necho 'E404 not here' >&2\nexit 1\n");
  chmodSync(join(bin, "npm"), 0o755);
  usePath(`${bin}${delimiter}${process.env.PATH}`);
}

function usePath(path: string): void {
  vi.stubEnv("PATH", path);
  onTestFinished(() => void vi.unstubAllEnvs());
}

/** Processes that work in a folder or below it. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
      } catch {
        return false; // It is no more, or not ours.
      }
    });
}

/** Resolves when npm has begun to unpack into the folder it was given. */
function unpacking(home: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const seen = (): void => {
      if (readdirSync(home).some((name) => existsSync(join(home, name, "node_modules")))) resolve();
    };
    watch(home, { recursive: true, signal }, seen);
  });
}

it("installs the runtime of this platform in the place of what was there", async () => {
  const home = temporary();
  const folder = join(home, "embedded");
  mkdirSync(folder);
  writeFileSync(join(folder, "old"), "");
  const version = await installRuntime(folder, unaborted);
  expect(version).toBe(runtimePackage.version);
  const installed = readFileSync(join(folder, "node_modules", "node-llama-cpp", "package.json"), "utf8");
  expect(JSON.parse(installed)).toMatchObject({ version });
  const platform = `${process.platform}-${process.arch}` as keyof typeof runtimePackage.binaries;
  expect(readdirSync(join(folder, "node_modules", "@node-llama-cpp"))).toEqual([
    runtimePackage.binaries[platform],
  ]);
  expect(existsSync(join(folder, "old"))).toBe(false);
  expect(readdirSync(home)).toEqual(["embedded"]);
});

onLinux("leaves neither files nor processes where it is stopped in the middle", async () => {
  const home = temporary();
  const stopping = new AbortController();
  const installing = installRuntime(join(home, "embedded"), stopping.signal);
  const reason = new Error("stopped by the user");
  void unpacking(home, stopping.signal).then(() => stopping.abort(reason));
  await expect(installing).rejects.toBe(reason);
  expect(processesIn(home)).toEqual([]);
  expect(readdirSync(home)).toEqual([]);
});

onLinux("keeps the runtime that is there when npm fails, and tells what npm said", async () => {
  const home = temporary();
  fakeFailingNpm(home);
  const folder = join(home, "cache", "embedded");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "old"), "whole");
  await expect(installRuntime(folder, unaborted)).rejects.toMatchObject({
    reason: "runtime-install-failed",
    message: expect.stringContaining("E404 not here"),
  });
  expect(readFileSync(join(folder, "old"), "utf8")).toBe("whole");
  expect(readdirSync(join(home, "cache"))).toEqual(["embedded"]);
});

onLinux("says what is needed where there is no npm", async () => {
  const home = temporary();
  usePath(join(home, "empty"));
  const folder = join(home, "cache", "embedded");
  await expect(installRuntime(folder, unaborted)).rejects.toMatchObject({
    reason: "npm-missing",
    message: expect.stringContaining("npm, which is not in PATH"),
  });
  expect(readdirSync(join(home, "cache"))).toEqual([]);
});
