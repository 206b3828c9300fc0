import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RunOutcome } from "../../../src/core/ports.ts";
import { docker, failure, finished, leftovers } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";

const program = join(import.meta.dirname, "..", "engine", "sleeper.ts");
const limit = 6;

/**
 * The process that watches is stopped while the container goes on, and wakes long after the time limit: the engine on
 * another machine, or a virtual machine that woke first. A machine that sleeps whole stops both, and is easier.
 */
export default chaos({
  id: "D11",
  tries: "the runner sleeps in the middle of a run, longer than the time limit",
  promise:
    "the container is looked at again after waking: what ended in time is scored, what went on is a timeout",
  async play(tell) {
    const inTime = finished(
      await asleep('import time; time.sleep(2); open("out.csv", "w").write("0.5")', "ended"),
    );
    assert.deepEqual(inTime.files, ["out.csv"]);
    const late = failure(await asleep("import time; time.sleep(3600)", "overdue"));
    assert.equal(late.verdict, "timeout");
    tell(`ended in ${inTime.evidence.ms} ms while nobody watched: scored; went on: ${late.evidence.note}`);
  },
});

/** Stops the process when the revision has started, and lets it go on when the limit is over. */
async function asleep(revision: string, until: "ended" | "overdue"): Promise<RunOutcome> {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-chaos-"));
  const workspaceId = randomUUID();
  const child = spawn(
    process.execPath,
    ["--no-warnings", program, folder, workspaceId, `${limit}s`, revision],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  try {
    let outcome: RunOutcome | null = null;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== "started") {
        outcome = JSON.parse(line) as RunOutcome;
        continue;
      }
      child.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, (limit + 1) * 1000));
      if (until === "ended") await ended(workspaceId);
      child.kill("SIGCONT");
    }
    assert.ok(outcome, "the process told no outcome");
    assert.deepEqual(await leftovers(workspaceId), { containers: [], volumes: [] });
    return outcome;
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns when the revision's container has ended, as the engine says. */
async function ended(workspaceId: string): Promise<void> {
  const filters = { label: [`exit-ml.workspace=${workspaceId}`] };
  for (;;) {
    const [run] = (await docker.listContainers({ all: true, filters })).filter(({ Names }) =>
      Names.some((name) => name.endsWith("-run")),
    );
    if (run?.State === "exited") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
