/**
 * `dying.ts WORKSPACE FOLDER STEP PROGRAM`: a process that runs and evaluates the trial "trial" and kills itself as
 * soon as the journal holds STEP. Its journal is the history in FOLDER.
 */
import { join } from "node:path";
import { createDockerSandbox } from "../../../src/adapters/docker/sandbox.ts";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import type { Journal } from "../../../src/core/ports.ts";
import { makeTask, never, owner, python, requestFor } from "./trial.ts";

const [workspaceId = "", folder = "", lastStep = "", program = ""] = process.argv.slice(2);
const { journal } = openStore(join(folder, "history.db"));
const dying: Journal = {
  ...journal,
  record(key, step, data) {
    journal.record(key, step, data);
    if (step === lastStep) process.kill(process.pid, "SIGKILL");
  },
};
const sandbox = createDockerSandbox({
  ...{ workspaceId, owner, journal: dying },
  outputsFolder: join(folder, "outputs"),
});
const request = requestFor(makeTask(folder, { timeout: "30s" }), python(program), "trial");
const ran = await sandbox.run(request, never);
if (ran.kind === "finished") await sandbox.evaluate(request, ran.outputs, never);
throw new Error(`never reached ${lastStep}`);
