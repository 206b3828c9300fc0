/** A workspace on a small disk of its own: a run does not begin on it, and does once there is space. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { App, RunRequest } from "../../../src/app/app.ts";
import { openApp } from "../../../src/app/compose.ts";
import { testWith } from "../../support/without.ts";

const test = testWith("docker");
const request: RunRequest = {
  ...{ tasks: [], all: false, strategy: "exit", settings: {}, fresh: false, seed: null },
  ...{ runtime: "embedded", model: "/nowhere/none.gguf", endpoint: null, allowMissing: [] },
  budget: { iterations: 1, hours: null, tokens: null, target: null },
};

function mount(options: string, folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("a run is refused with folder, numbers and mend while the disk is low, and begins afterwards", async (context) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-disk-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (!mount("size=64m", folder)) return context.skip("a small disk can only be mounted by root");
  let app: App | null = null;
  try {
    const example = join(import.meta.dirname, "..", "..", "..", "examples", "digits-config");
    cpSync(example, folder, { recursive: true, filter: (source) => !source.includes("/.exit") });
    app = await openApp(folder, { log: () => undefined });
    const refused = await app.startRun(request).catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: "disk-low" });
    expect(String(refused)).toMatch(
      new RegExp(`Only \\d+ MiB are free in ${folder}/.exit.*512 MiB.*exit-ml clean`),
    );
    // What needs little still works.
    expect((await app.clean({ dryRun: false, exports: false })).freed).not.toEqual([]);
    execFileSync("mount", ["-o", "remount,size=1g", folder]);
    // There is no such model; everything before it went well.
    await expect(app.startRun(request)).rejects.toMatchObject({ reason: expect.not.stringMatching(/disk/) });
    expect((await app.tree(null)).nodes).toHaveLength(1);
  } finally {
    await app?.close();
    execFileSync("umount", [folder]);
  }
});
