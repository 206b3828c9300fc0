/** A whole run of the product on an engine of the suite's own: real sandbox, history and snapshots, instant model. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSnapshots } from "../../../src/adapters/git/snapshots.ts";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import { createWorkspace } from "../../../src/adapters/workspace/workspace.ts";
import { createKeptOutputs } from "../../../src/app/kept-outputs.ts";
import { startRun } from "../../../src/app/run.ts";
import type { RunParts } from "../../../src/app/run-parts.ts";
import { createScorer } from "../../../src/app/score.ts";
import { freeBytes } from "../../../src/app/space.ts";
import type { Store } from "../../../src/core/ports.ts";
import type { RunEvent } from "../../../src/core/reports.ts";
import { image } from "../../adapters/docker/trial.ts";
import { mkdirIn } from "../../hostile/conformance.ts";
import { instantPolicy, roomyArbiter, sha256 } from "../../support/memory-world.ts";
import type { Rig } from "./rig.ts";

/** Iterations and replies of each. */
const [iterations, groupSize] = [3, 4];

const files = {
  "solution.json": '{"x": 10}\n',
  "solution.schema.json": JSON.stringify({
    type: "object",
    properties: { x: { type: "integer", minimum: 0, maximum: 100 } },
    required: ["x"],
    additionalProperties: false,
  }),
  "run.py":
    'import json, time\ntime.sleep(1)\nopen("out.csv", "w").write(str(json.load(open("solution.json"))["x"]))\n',
  "score.py": `print('{"score": ' + open("out.csv").read() + "}")\n`,
  "exit.task.json": JSON.stringify({
    name: "night",
    instruction: "Raise x.",
    solution: { files: ["solution.json"], format: "json", schema: "solution.schema.json" },
    run: { command: ["python3", "run.py"], inputs: ["run.py"], outputs: ["out.csv"], timeout: "60s" },
    score: { command: ["python3", "score.py"], hidden: ["score.py"], timeout: "60s" },
    metric: { direction: "maximize", worst: 0, best: 100 },
    sandbox: { image, memory: "128m", disk: "16m", pids: 64 },
  }),
};

export type Ended = Extract<RunEvent, { type: "runEnded" }>;

export interface Night {
  /** Starts the run or goes on with it; resolves when it has ended. */
  run(heard?: (event: RunEvent) => void): Promise<Ended>;
  /** Every verdict of the run, of replies not yet scored null. */
  verdicts(): (string | null)[];
  /** How many verdicts there are in the end. */
  readonly whole: number;
  close(): void;
}

export async function openNight(rig: Rig): Promise<Night> {
  const [workspaceFolder, state] = [mkdirIn(rig.folder, "workspace"), mkdirIn(rig.folder, "state")];
  for (const [path, text] of Object.entries(files)) writeFileSync(join(workspaceFolder, path), text);
  const workspace = createWorkspace({ folder: workspaceFolder, stagingFolder: mkdirIn(state, "staging") });
  const store: Store = openStore(join(state, "history.db"));
  const clock = { monotonic: () => performance.now(), now: () => new Date().toISOString() };
  const { sandbox } = rig;
  const listening = new Set<(event: RunEvent) => void>();
  const selfTest = async (_: unknown, { imageDigest }: { imageDigest: string }) => ({
    ...{ at: clock.now(), image: imageDigest, digest: "not made here", guarantees: [] },
  });
  const scorer = createScorer({
    ...{ sandbox, arbiter: roomyArbiter, store, selfTest, sha256 },
    keptOutputs: createKeptOutputs(mkdirIn(state, "kept")),
  });
  const parts: RunParts = {
    ...{ workspace, store, clock, sha256, freeBytes, stateFolders: [state], arbiter: roomyArbiter },
    snapshots: await openSnapshots(join(state, "snapshots.git")),
    emit: (event) => {
      for (const hear of listening) hear(event);
    },
    // The self-test and the audit are other suites' subject.
    sandbox: async () => ({ ...sandbox, selfTest: async () => [] }),
    scorer: async () => scorer,
    openPolicy: async () => instantPolicy(),
    watch: async () => ({ close: async () => undefined }),
  };
  const task = await workspace.resolve("night");
  store.setAuditPassed(task.id, task.evaluatorDigest);
  const request = {
    ...{
      tasks: ["night"],
      all: false,
      strategy: "exit" as const,
      settings: { groupSize },
      fresh: false,
      seed: 7,
    },
    ...{ runtime: "embedded" as const, model: "instant", endpoint: null, allowMissing: [] },
    budget: { iterations, hours: null, tokens: null, target: null },
  };
  return {
    whole: iterations * groupSize,
    async run(heard = () => undefined) {
      const ended = new Promise<Ended>((resolve) => {
        const hear = (event: RunEvent): void => {
          heard(event);
          if (event.type !== "runEnded") return;
          listening.delete(hear);
          resolve(event);
        };
        listening.add(hear);
      });
      await startRun(request, parts, new AbortController().signal);
      return ended;
    },
    verdicts: () =>
      store.groupIds().flatMap((id) => (store.group(id)?.replies ?? []).map(({ verdict }) => verdict)),
    close: () => store.close(),
  };
}
