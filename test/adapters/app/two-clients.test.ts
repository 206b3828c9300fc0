/** Two clients of a workspace that ask for a run in the same moment. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { RunRequest } from "../../../src/app/app.ts";
import { openApp } from "../../../src/app/compose.ts";

const request: RunRequest = {
  ...{ tasks: [], all: false, strategy: "exit", settings: {}, fresh: false, seed: null },
  ...{ runtime: "embedded", model: "/nowhere/none.gguf", endpoint: null, allowMissing: [] },
  budget: { iterations: 1, hours: null, tokens: null, target: null },
};

test("one of two requests for a run is refused while the other is being prepared, and none once that has ended", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-two-")));
  const app = await openApp(folder, { log: () => undefined });
  onTestFinished(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const [first, second] = [app.startRun(request), app.startRun(request)];
  await expect(second).rejects.toMatchObject({ reason: "run-active" });
  // The first one gets as far as this workspace lets it.
  await expect(first).rejects.toMatchObject({ reason: "no-task" });
  await expect(app.startRun(request)).rejects.toMatchObject({ reason: "no-task" });
});
