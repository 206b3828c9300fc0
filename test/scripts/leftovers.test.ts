import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  beginSuite,
  endSuite,
  environmentOf,
  leftovers,
  processesOf,
  type Suite,
} from "../../scripts/test/leftovers.mjs";

let suite: Suite;
beforeEach(async () => {
  suite = await beginSuite(undefined);
});
afterEach(() => endSuite(suite));

test("a tidy suite leaves nothing", async () => {
  expect(await leftovers(suite, 0)).toEqual([]);
});

test("a file that was not removed is named", async () => {
  const file = path.join(suite.folder, "forgotten");
  fs.writeFileSync(file, "");
  expect(await leftovers(suite, 0)).toEqual([`file: ${file}`]);
});

test.runIf(process.platform === "linux")(
  "a process is known by its mark, and only while it lives",
  async () => {
    const child = spawn(process.execPath, ["-e", 'console.log(); process.stdin.on("data", () => {})'], {
      env: { ...process.env, ...environmentOf(suite) },
      stdio: ["pipe", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    const [found, ...more] = processesOf(suite);
    expect(found).toContain(`process ${child.pid}: ${process.execPath}`);
    expect(more).toEqual([]);
    expect(processesOf({ ...suite, mark: "another", folder: "/nowhere/else" })).toEqual([]);
    child.stdin.end();
    await once(child, "exit");
    expect(await leftovers(suite, 0)).toEqual([]);
  },
);
