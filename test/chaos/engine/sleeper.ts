/**
 * Runs one revision in a process of its own, which the case can stop as a machine that falls asleep stops it. Arguments:
 * folder for what it keeps, workspace id, time limit, the revision. Prints `started`, then the outcome as JSON.
 */
import { createDockerSandbox } from "../../../src/adapters/docker/sandbox.ts";
import { makeTask, never, owner, python, requestFor } from "../../adapters/docker/trial.ts";
import { mkdirIn } from "../../hostile/conformance.ts";
import { createMemoryJournal } from "../../support/memory-journal.ts";

const [folder = "", workspaceId = "", timeout = "", revision = ""] = process.argv.slice(2);
const sandbox = createDockerSandbox({
  ...{ workspaceId, owner, outputsFolder: mkdirIn(folder, "outputs") },
  journal: createMemoryJournal((_, step) => {
    if (step === "started") console.log("started");
  }),
});
const request = requestFor(makeTask(folder, { timeout }), python(revision));
console.log(JSON.stringify(await sandbox.run(request, never)));
await sandbox.close();
