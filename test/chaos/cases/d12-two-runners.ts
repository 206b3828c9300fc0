import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connect } from "../../../src/client/connect.ts";
import { isExitError } from "../../../src/core/errors.ts";
import { startReportSchema } from "../../../src/protocol/start-report.ts";
import { chaos } from "../case.ts";
import { runToItsEnd } from "../kills/life.ts";
import { playRun } from "../kills/scene.ts";

const script = join(import.meta.dirname, "..", "..", "..", "dist", "runner.js");

/** What a runner says about its start: null if it serves the workspace, else why not. */
async function started(child: ChildProcess): Promise<{ reason: string; message: string } | null> {
  const [message] = await once(child, "message");
  const report = startReportSchema.parse(message);
  return "failed" in report ? report.failed : null;
}

export default chaos({
  id: "D12",
  tries: "two runners start for one workspace, then two windows begin a run in it",
  promise: "one holds the lock and serves everybody; the others get a sentence; nothing is done twice",
  play: (tell) =>
    playRun(12, async (lives) => {
      const children = Array.from({ length: 2 }, () =>
        spawn(process.execPath, ["--no-warnings", script, lives.folder], {
          stdio: ["ignore", "ignore", "ignore", "ipc"],
        }),
      );
      const reports = await Promise.all(children.map(started));
      const winner = children[reports.indexOf(null)];
      const refusals = reports.filter((report) => report !== null);
      assert.ok(winner, "nobody serves the workspace");
      assert.equal(refusals.length, 1, "both serve the workspace");
      assert.equal(refusals[0]?.reason, "workspace-locked");
      assert.match(refusals[0]?.message ?? "", /"exit-ml stop"/);
      tell(refusals[0]?.message.replace(lives.folder, "FOLDER") ?? "");

      const windows = await Promise.all(
        Array.from({ length: 2 }, () => connect(lives.folder, { start: true, script })),
      );
      for (const client of windows) assert.equal(client.runner.pid, winner.pid);
      const begun = await Promise.allSettled(windows.map((client) => runToItsEnd(client, lives.plan)));
      const refused = begun
        .filter((each) => each.status === "rejected")
        .map(({ reason }) => reason as unknown);
      assert.equal(refused.length, 1, "both began a run, or none did");
      assert.ok(isExitError(refused[0], "run-active"), String(refused[0]));
      const closed = once(winner, "exit");
      process.kill(windows[0]?.runner.pid ?? 0, "SIGTERM");
      await closed;
    }),
});
