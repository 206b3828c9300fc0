/** GPU ids from the driver's tool; a fake one stands in its place, for there may be no GPU here. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { gpuIds } from "../../../src/adapters/docker/gpus.ts";

let folder: string;
const path = process.env.PATH;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-gpus-"));
  process.env.PATH = folder;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

const fakeTool = (script: string): void =>
  writeFileSync(join(folder, "nvidia-smi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

test("one id a line", async () => {
  fakeTool('[ "$1 $2" = "--query-gpu=index --format=csv,noheader" ] && printf "0\\n1\\n 7 \\n"');
  expect(await gpuIds()).toEqual(["0", "1", "7"]);
});

test("none without a driver, and none of a driver that complains", async () => {
  expect(await gpuIds()).toEqual([]);
  fakeTool('echo "No devices were found"');
  expect(await gpuIds()).toEqual([]);
  fakeTool("echo 0; exit 9");
  expect(await gpuIds()).toEqual([]);
});
